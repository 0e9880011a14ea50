//! Grep: find the end of the line, search the line, count it.

use super::shares;
use memchr::memmem::Finder;

/// The number of lines that contain `needle`.
pub(crate) fn count(text: &[u8], needle: &[u8], local: usize) -> u64 {
    let finder = Finder::new(needle);
    shares::each(shares::of_lines(text, local), |share| count_share(share, &finder)).into_iter().sum()
}

fn count_share(text: &[u8], finder: &Finder<'_>) -> u64 {
    let (mut start, mut count) = (0, 0);
    let last = (!text.ends_with(b"\n")).then_some(text.len());
    for end in memchr::memchr_iter(b'\n', text).chain(last) {
        count += u64::from(finder.find(&text[start..end]).is_some());
        start = end + 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_once_and_across_shares() {
        let text = b"an error, an error\nfine\nerr\nor\nlast error";
        assert_eq!((count(text, b"error", 1), count(text, b"error", 2)), (2, 2));
        assert_eq!(count(b"", b"error", 1), 0);
    }
}
