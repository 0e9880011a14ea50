//! The rows of `dead-letters`: lines that are parsed and summed up by key, of which one in a hundred does not parse and is set
//! aside, beside the same program over lines that all do.

use crate::arguments::Arguments;
use crate::disk::Folder;
use crate::measure::{Contender, beside};
use crate::ours::dead_letters::{Lines, Parser};
use crate::report::{Aim, Row, announce};

/// The least ratio: with bad lines it takes at most a tenth longer.
const AIM: f64 = 0.9;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for is_durable in [false, true] {
        let row = row(is_durable, arguments)?;
        announce(&row);
        rows.push(row);
    }
    Ok(rows)
}

fn row(is_durable: bool, arguments: &Arguments) -> Result<Row, String> {
    let folder = Folder::new(arguments.dir.as_deref())?;
    let parser = |name| Parser::start(arguments.local, is_durable.then(|| folder.path(name)));
    let (mut with_bad, mut without) = (parser("bad"), parser("good"));
    let [bad, good] = [Lines::OneInHundredBad, Lines::AllGood].map(|lines| with_bad.lines(lines, arguments.records));
    let contenders = [
        Contender::new("with bad lines", || with_bad.batch(&bad)),
        Contender::new("without bad lines", || without.batch(&good)),
    ];
    let costs = beside(contenders, arguments.rounds)?;
    let letters = with_bad.letters() + without.letters();
    let (expected, kept) = ((arguments.records / 100 * arguments.rounds) as u64, Parser::KEPT_IN_MEMORY);
    let expected = if is_durable { expected } else { expected.min(kept) };
    if letters != expected {
        return Err(format!("{letters} dead letters and not {expected}"));
    }
    let name = format!("1 % bad lines, {}", if is_durable { "with a checkpoint folder" } else { "in memory" });
    let [ours, limit] = costs;
    let row = Row::compared(name, "ns/line", arguments.records as u64, (ours, limit), arguments.local);
    Ok(row.without_peaks().aim(Aim::Ratio(AIM)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_change_no_sum_and_are_all_there() {
        let dir = Some(std::env::temp_dir());
        let arguments = Arguments { records: 5000, dir, rounds: 2, ..Arguments::default() };
        assert_eq!(rows(&arguments).unwrap().len(), 2);
    }
}
