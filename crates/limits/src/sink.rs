//! The row of `sink`: word counts of each batch written exactly once, beside the same program that prints them to nowhere.
//! Databases have rows of their own.

use crate::arguments::Arguments;
use crate::disk::Folder;
use crate::measure::beside;
use crate::report::{Aim, Row, announce};
use crate::store::Store;
use crate::{data, ours};

const VOCABULARY: usize = 100_000;
const AIM: f64 = 0.8;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    match arguments.to {
        Store::Files => into_files(arguments),
        #[cfg(feature = "sql")]
        Store::Sqlite | Store::Postgres | Store::Mysql => crate::sql::rows(arguments),
        #[cfg(not(feature = "sql"))]
        Store::Sqlite | Store::Postgres | Store::Mysql => {
            unreachable!("the arguments are refused in a build without drivers")
        }
    }
}

fn into_files(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let folder = Folder::new(arguments.dir.as_deref())?;
    let (text, bytes) = (folder.path("text"), arguments.megabytes * 1_000_000);
    let written = std::fs::write(&text, data::Vocabulary::new(VOCABULARY).text(bytes));
    written.map_err(|error| format!("cannot write {text}: {error}"))?;
    let local = arguments.local;
    let contenders = [ours::sink::to_files(&text, &folder, local), ours::sink::to_nowhere(&text, &folder, local)];
    let [files, nowhere] = beside(contenders, arguments.rounds)?;
    let name = format!("{VOCABULARY} different words, counts into files");
    let row = Row::compared(name, "ns/byte", bytes as u64, (files, nowhere), local).aim(Aim::Ratio(AIM));
    announce(&row);
    Ok(vec![row.note("the limit prints ten of them to nowhere; both have a checkpoint folder")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_programs_count_the_same() {
        let dir = Some(std::env::temp_dir());
        let arguments = Arguments { megabytes: 1, dir, rounds: 2, ..Arguments::default() };
        assert_eq!(rows(&arguments).unwrap().len(), 1);
    }
}
