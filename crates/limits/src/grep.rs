//! The rows of `grep`: a common and a rare word in a generated text, or one word in the user's own texts.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::{data, hand, ours};

/// The ratio to hold.
const AIM: f64 = 0.7;

const VOCABULARY: usize = 100_000;

/// The ranks of the words to look for: in about one line of eleven, and in one of eleven hundred.
const RANKS: [(&str, usize); 2] = [("common word", 9), ("rare word", 999)];

/// What is looked for in the user's texts.
const NEEDLE: &str = "error";

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    if !arguments.input.is_empty() {
        let files = arguments.input.iter();
        let rows =
            files.map(|file| row(format!("{NEEDLE:?} in {}", file.display()), &data::file(file)?, NEEDLE, arguments));
        return rows.collect();
    }
    let vocabulary = data::Vocabulary::new(VOCABULARY);
    let text = vocabulary.text(arguments.megabytes * 1_000_000);
    let rows = RANKS.into_iter().map(|(name, rank)| {
        let needle = str::from_utf8(vocabulary.word(rank)).expect("words are of ASCII letters");
        row(name.to_string(), &text, needle, arguments)
    });
    rows.collect()
}

fn row(name: String, text: &[u8], needle: &str, arguments: &Arguments) -> Result<Row, String> {
    let local = arguments.local;
    let by_hand = Contender::new("the loop by hand", || hand::grep::count(text, needle.as_bytes(), local));
    let [ours, by_hand] = beside([ours::grep::ours(text, needle, local), by_hand], arguments.rounds)?;
    let lines = memchr::memchr_iter(b'\n', text).count() as u64 + u64::from(!text.ends_with(b"\n"));
    let row = Row::compared(name, "ns/line", lines, (ours, by_hand), local);
    let row = row.aim(Aim::Ratio(AIM)).note("receiving is not timed");
    announce(&row);
    Ok(row)
}
