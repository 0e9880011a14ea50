//! Word count: find the next space or newline, look the word up by its borrowed bytes, add one.

use super::{Map, shares};
use crate::checksum;

/// Counts the words between single spaces and newlines; two separators in a row enclose an empty word.
pub(crate) fn count(text: &[u8], local: usize) -> u64 {
    let mut tables = shares::each(shares::of_lines(text, local), table).into_iter();
    let mut all = tables.next().expect("there is at least one share");
    for (word, count) in tables.flatten() {
        *all.entry(word).or_default() += count;
    }
    checksum::total(all.iter().map(|(word, count)| checksum::word(word.len(), *count)))
}

fn table(text: &[u8]) -> Map<&[u8], u64> {
    let mut table = Map::default();
    let mut start = 0;
    for end in memchr::memchr2_iter(b' ', b'\n', text) {
        *table.entry(&text[start..end]).or_default() += 1;
        start = end + 1;
    }
    // A newline ends the last line; without one there is a last word still.
    if !text.is_empty() && !text.ends_with(b"\n") {
        *table.entry(&text[start..]).or_default() += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted() {
        let table = table(b"to be or not\nto be\n\nend");
        let word = |word: &str| table.get(word.as_bytes()).copied();
        assert_eq!(
            (word("to"), word("or"), word(""), word("end"), table.len()),
            (Some(2), Some(1), Some(1), Some(1), 6)
        );
    }

    #[test]
    fn threads_do_not_change_the_result() {
        let text = crate::data::Vocabulary::new(1000).text(100_000);
        assert_eq!(count(&text, 1), count(&text, 3));
    }
}
