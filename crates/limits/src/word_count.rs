//! The rows of `word-count`: texts over small, middling and large vocabularies, or the user's own.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::Row;
use crate::{data, hand, ours};
use std::sync::Arc;

const VOCABULARIES: [usize; 3] = [5_000, 100_000, 1_000_000];

/// The ratio to hold, from what the design measured.
const AIM: f64 = 1.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    if !arguments.input.is_empty() {
        let files = arguments.input.iter();
        return files.map(|file| row(file.display().to_string(), data::file(file)?, arguments)).collect();
    }
    let generated = |size| {
        let text = data::Vocabulary::new(size).text(arguments.megabytes * 1_000_000);
        row(format!("{size} different words"), text, arguments)
    };
    VOCABULARIES.into_iter().map(generated).collect()
}

fn row(name: String, text: Vec<u8>, arguments: &Arguments) -> Result<Row, String> {
    let (text, local) = (Arc::new(text), arguments.local);
    let by_hand = Contender::new("the loop by hand", || hand::word_count::count(&text, local));
    let (ours, loops) = beside(ours::word_count::ours(&text, local), vec![by_hand], arguments.rounds)?;
    let words = memchr::memchr2_iter(b' ', b'\n', &text).count() as u64 + u64::from(!text.ends_with(b"\n"));
    Ok(Row::compared(name, "ns/word", words, (ours, loops[0]), local).aim(AIM))
}
