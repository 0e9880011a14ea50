//! Durations and sizes as text, in Spark's spelling: `200ms`, `10min`, `256m`. A fraction is refused, as in Spark.

use std::time::Duration;

/// Microseconds in each unit of time, from small to large; of two names for a unit the one to write comes last.
const TIME_UNITS: &[(&str, u64)] = &[
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("min", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

/// Bytes in each unit of size, from small to large; of several names for a unit the one to write comes last.
const SIZE_UNITS: &[(&str, u64)] = &[
    ("b", 1),
    ("ki", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1 << 10),
    ("k", 1 << 10),
    ("mi", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1 << 20),
    ("m", 1 << 20),
    ("gi", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1 << 30),
    ("g", 1 << 30),
    ("ti", 1 << 40),
    ("tib", 1 << 40),
    ("tb", 1 << 40),
    ("t", 1 << 40),
    ("pi", 1 << 50),
    ("pib", 1 << 50),
    ("pb", 1 << 50),
    ("p", 1 << 50),
];

/// A duration; a plain number means milliseconds.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    parse(text, "ms", TIME_UNITS).map(Duration::from_micros)
}

/// Bytes; a plain number means bytes, a `k` 1,024 of them.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    parse(text, "b", SIZE_UNITS)
}

/// The shortest text of a duration; what is below a microsecond is cut off.
pub(super) fn duration_text(duration: Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    // Milliseconds and larger where that is exact: `0us` would be an odd way to write nothing.
    if micros == 0 { "0ms".to_owned() } else { shortest(micros, TIME_UNITS) }
}

/// The shortest text of a number of bytes; below a kibibyte, or between two, the plain number.
pub(super) fn size_text(bytes: u64) -> String {
    if bytes == 0 { "0".to_owned() } else { shortest(bytes, SIZE_UNITS).trim_end_matches('b').to_owned() }
}

/// The value in the smallest unit; `None` where it is no number with a known unit, or too large.
fn parse(text: &str, plain: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = if unit.is_empty() { plain } else { unit };
    let (_, factor) = units.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn shortest(value: u64, units: &[(&str, u64)]) -> String {
    let exact = units.iter().rev().find(|(_, factor)| value.is_multiple_of(*factor));
    let (name, factor) = exact.expect("the first unit divides every value");
    format!("{}{name}", value / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("200ms", 200_000),
            ("2s", 2_000_000),
            ("10min", 600_000_000),
            ("10m", 600_000_000),
            ("3h", 10_800_000_000),
            ("1d", 86_400_000_000),
            ("250us", 250),
            ("5000", 5_000_000),
            (" 7S ", 7_000_000),
            ("0", 0),
        ];
        for (text, micros) in cases {
            assert_eq!(parse_duration(text), Some(Duration::from_micros(micros)), "{text}");
        }
        for bad in ["", "s", "-1s", "1.5s", "2 s", "2sec", "1s1", "2k", "99999999999999999999", "999999999999999d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes() {
        let cases = [
            ("1024", 1024),
            ("12b", 12),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("256m", 268_435_456),
            ("1g", 1_073_741_824),
            ("1GB", 1_073_741_824),
            ("1t", 1 << 40),
            ("2p", 1 << 51),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for bad in ["", "m", "1.5g", "-1", "1 m", "1mm", "20000p", "1s"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_reads_back_as_the_same_value() {
        let durations = [(0, "0ms"), (1, "1us"), (1_500, "1500us"), (250_000, "250ms"), (5_000_000, "5s")];
        for (micros, text) in durations.into_iter().chain([(120_000_000, "2min"), (86_400_000_000, "1d")]) {
            assert_eq!(duration_text(Duration::from_micros(micros)), text);
            assert_eq!(parse_duration(text), Some(Duration::from_micros(micros)));
        }
        for (bytes, text) in [(0, "0"), (1, "1"), (1025, "1025"), (4096, "4k"), (1 << 20, "1m"), (256 << 20, "256m")] {
            assert_eq!(size_text(bytes), text);
            assert_eq!(parse_size(text), Some(bytes));
        }
    }
}
