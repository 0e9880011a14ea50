//! Times, sizes and tables as people read them.

use headwater::time::Time;
use std::io::{self, Write};
use std::time::Duration;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// `2026-11-21 15:26:06.000 UTC (1795274766000 ms)`
pub(crate) fn when(time: Time) -> String {
    let (seconds, millis) = (time.milliseconds().div_euclid(1000), time.milliseconds().rem_euclid(1000));
    let (year, month, day) = date(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} UTC ({time})")
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar. Source: Howard Hinnant's `civil_from_days`.
fn date(day: i64) -> (i64, i64, i64) {
    // Years begin with March here, so that the leap day is their last.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, year) = (if month < 10 { month + 3 } else { month - 9 }, era * 400 + year);
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// `1.5 KiB`
pub(crate) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut scaled = bytes as f64 / 1024.0;
    for unit in units {
        if bytes < 1024 {
            return format!("{bytes} B");
        }
        if scaled < 1024.0 || unit == "TiB" {
            return format!("{scaled:.1} {unit}");
        }
        scaled /= 1024.0;
    }
    unreachable!("the last unit takes all")
}

/// `3 h 5 min`, by its two largest units.
pub(crate) fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    let parts = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")];
    let (mut rest, mut words) = (millis, Vec::new());
    for (millis, unit) in parts {
        if rest >= millis && words.len() < 2 {
            words.push(format!("{} {unit}", rest / millis));
            rest %= millis;
        }
    }
    if words.is_empty() { "0 ms".to_owned() } else { words.join(" ") }
}

/// A blank line and [`aligned`] rows; nothing without rows.
pub(crate) fn table(out: &mut dyn Write, heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    aligned(out, heads, rows)
}

/// Writes rows below their heads; the columns whose heads begin with `>` to the right.
pub(crate) fn aligned(out: &mut dyn Write, heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let heads: Vec<(&str, bool)> =
        heads.iter().map(|head| (head.trim_start_matches('>'), head.starts_with('>'))).collect();
    let first: Vec<String> = heads.iter().map(|(head, _)| (*head).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&first).chain(rows).collect();
    let width = |at: usize| all.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    for row in all {
        let cell = |(at, text): (usize, &String)| match heads[at].1 {
            true => format!("{text:>width$}", width = widths[at]),
            false => format!("{text:width$}", width = widths[at]),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        let said = |millis| when(Time::from_millis(millis));
        assert_eq!(said(0), "1970-01-01 00:00:00.000 UTC (0 ms)");
        assert_eq!(said(951_782_400_000), "2000-02-29 00:00:00.000 UTC (951782400000 ms)");
        assert_eq!(said(1_795_274_766_005), "2026-11-21 15:26:06.005 UTC (1795274766005 ms)");
        assert_eq!(said(-1), "1969-12-31 23:59:59.999 UTC (-1 ms)");
    }

    #[test]
    fn sizes_and_spans_have_units() {
        assert_eq!([0, 1023, 1024, 1 << 20, 1 << 50].map(size), ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1024.0 TiB"]);
        let spans = [0, 999, 61_000, 90_061_000].map(|millis| span(Duration::from_millis(millis)));
        assert_eq!(spans, ["0 ms", "999 ms", "1 min 1 s", "1 d 1 h"]);
    }

    #[test]
    fn columns_are_aligned() {
        let mut out = Vec::new();
        let rows = [["a", "1"], ["long", "200"]].map(|row| row.map(str::to_owned).to_vec());
        table(&mut out, &["name", ">n"], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\nname    n\na       1\nlong  200\n");
    }
}
