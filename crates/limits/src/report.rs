//! What the user reads: a table, or JSON, and one last line with the figure that is watched from release to release.

use crate::measure::Cost;
use std::fmt::Write;

/// Less than this is not told apart from memory that the allocator keeps after use.
const PEAK_MIN_MB: f64 = 64.0;

/// What we want to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aim {
    /// The least ratio.
    Ratio(f64),
    /// The most for `ours`, in its unit.
    Ours(f64),
}

/// One comparison, or one value that has nothing to be compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Of `ours` and `limit`, such as ns/word.
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    /// The hand-written loop; `None` where there is none to compare with.
    pub(crate) limit: Option<f64>,
    /// Limit by ours: above 1 the engine is faster than the loop.
    pub(crate) ratio: Option<f64>,
    pub(crate) ours_peak_mb: Option<f64>,
    pub(crate) limit_peak_mb: Option<f64>,
    /// Whether the row decides the last line; others are there to be looked at.
    pub(crate) counted: bool,
    pub(crate) aim: Option<Aim>,
    pub(crate) note: String,
}

impl Row {
    /// `count` is the number of things the unit divides by; times are in nanoseconds each.
    pub(crate) fn compared(
        name: String,
        unit: &'static str,
        count: u64,
        (ours, limit): (Cost, Cost),
        local: usize,
    ) -> Row {
        let each = |cost: Cost| cost.seconds(local) * 1e9 / count as f64;
        let megabytes = |cost: Cost| cost.peak_bytes.map(|bytes| bytes as f64 / 1e6);
        let wall = format!("by wall time {:.2}", limit.wall_seconds / ours.wall_seconds);
        Row {
            name,
            unit,
            ours: each(ours),
            limit: Some(each(limit)),
            ratio: Some(limit.seconds(local) / ours.seconds(local)),
            ours_peak_mb: megabytes(ours),
            limit_peak_mb: megabytes(limit),
            counted: true,
            aim: None,
            note: if local == 1 { wall } else { String::new() },
        }
    }

    /// A value that stands alone.
    pub(crate) fn value(name: impl Into<String>, unit: &'static str, ours: f64) -> Row {
        Row { name: name.into(), unit, ours, counted: true, ..Row::default() }
    }

    pub(crate) fn aim(self, aim: Aim) -> Row {
        Row { aim: Some(aim), ..self }
    }

    /// Where what is compared lives as long as the row, its peaks of memory say nothing of it.
    pub(crate) fn without_peaks(self) -> Row {
        Row { ours_peak_mb: None, limit_peak_mb: None, ..self }
    }

    /// Only to be looked at.
    pub(crate) fn uncounted(self) -> Row {
        Row { counted: false, ..self }
    }

    /// Adds to the note.
    pub(crate) fn note(mut self, note: &str) -> Row {
        self.note += if self.note.is_empty() { "" } else { "; " };
        self.note += note;
        self
    }

    fn misses(&self) -> bool {
        match self.aim {
            Some(Aim::Ratio(least)) => self.ratio.is_some_and(|ratio| ratio < least),
            Some(Aim::Ours(most)) => self.ours > most,
            None => false,
        }
    }
}

/// Tells the user that a row is done; the table waits for all.
pub(crate) fn announce(row: &Row) {
    let [name, unit, ours, limit, ratio, aim, .., note] = cells(row);
    eprintln!("{name}: {ours} {unit}, limit {limit}, ratio {ratio}, aim {aim}; {note}");
}

pub(crate) fn table(rows: &[Row]) -> String {
    let heads = ["row", "unit", "ours", "limit", "ratio", "aim", "ours MB", "limit MB", "note"].map(str::to_string);
    let mut lines = vec![heads];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut text = String::new();
    for cells in &lines {
        let mut line = format!("{:<1$}  {2:<3$}", cells[0], widths[0], cells[1], widths[1]);
        for column in 2..8 {
            line += &format!("  {:>1$}", cells[column], widths[column]);
        }
        line = line + "  " + &cells[8];
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cells(row: &Row) -> [String; 9] {
    let number = |value: Option<f64>| value.map_or("-".to_string(), significant);
    let fixed = |value: Option<f64>, digits| value.map_or("-".to_string(), |value| format!("{value:.digits$}"));
    let peak = |value: Option<f64>| match value {
        Some(megabytes) if megabytes < PEAK_MIN_MB => format!("<{PEAK_MIN_MB}"),
        value => fixed(value, 0),
    };
    let aim = match row.aim {
        None => "-".to_string(),
        Some(Aim::Ratio(least)) => format!(">={least:.2}"),
        Some(Aim::Ours(most)) => format!("<={}", significant(most)),
    };
    let note = match (row.counted, row.note.as_str()) {
        (true, note) => note.to_string(),
        (false, "") => "not counted".to_string(),
        (false, note) => format!("not counted: {note}"),
    };
    [
        row.name.clone(),
        row.unit.to_string(),
        significant(row.ours),
        number(row.limit),
        fixed(row.ratio, 2),
        if row.misses() { format!("missed {aim}") } else { aim },
        peak(row.ours_peak_mb),
        peak(row.limit_peak_mb),
        note,
    ]
}

pub(crate) fn json(row: &Row) -> String {
    let number = |value: Option<f64>| value.map_or("null".to_string(), |value| value.to_string());
    let mut text = format!(r#"{{"name":{},"unit":{}"#, quoted(&row.name), quoted(row.unit));
    let numbers = [
        ("ours", Some(row.ours)),
        ("limit", row.limit),
        ("ratio", row.ratio),
        ("ours_peak_mb", row.ours_peak_mb),
        ("limit_peak_mb", row.limit_peak_mb),
        ("aim_ratio_min", if let Some(Aim::Ratio(least)) = row.aim { Some(least) } else { None }),
        ("aim_ours_max", if let Some(Aim::Ours(most)) = row.aim { Some(most) } else { None }),
    ];
    for (key, value) in numbers {
        write!(text, r#","{key}":{}"#, number(value)).expect("a string takes all");
    }
    text + &format!(r#","counted":{},"note":{}}}"#, row.counted, quoted(&row.note))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => write!(quoted, "\\u{:04x}", control as u32).expect("a string takes all"),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// The worst of the rows that count: the least ratio, or the longest time in seconds if nothing is compared.
pub(crate) fn last_line(name: &str, rows: &[Row]) -> Option<String> {
    let counted = || rows.iter().filter(|row| row.counted);
    let ratio = counted().filter_map(|row| row.ratio).reduce(f64::min);
    let seconds = counted().filter(|row| row.unit == "s").map(|row| row.ours).reduce(f64::max);
    ratio
        .map(|ratio| format!("{name}: {ratio:.2} of limit"))
        .or_else(|| seconds.map(|seconds| format!("{name}: {} s", significant(seconds))))
}

/// Three significant digits, and never an exponent.
fn significant(value: f64) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let digits = (2.0 - magnitude).clamp(0.0, 12.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, ratio: f64, counted: bool) -> Row {
        let (ours, limit) = (10.0, Some(10.0 * ratio));
        Row { name: name.to_string(), unit: "ns/word", ours, limit, ratio: Some(ratio), counted, ..Row::default() }
    }

    #[test]
    fn the_last_line_is_the_worst_counted_row() {
        let rows = [row("a", 1.5, true), row("b", 0.876, true), row("c", 0.2, false)];
        assert_eq!(last_line("word-count", &rows).unwrap(), "word-count: 0.88 of limit");
    }

    #[test]
    fn without_a_limit_the_last_line_is_the_longest_time() {
        let (short, long) = (Row::value("2 tasks", "s", 0.0000081), Row::value("8 tasks", "s", 0.0000122));
        let rows = [short, long, Row::value("memory", "MB", 20.0), Row::value("p99", "s", 0.1).uncounted()];
        assert_eq!(last_line("idle", &rows).unwrap(), "idle: 0.0000122 s");
    }

    #[test]
    fn a_missed_aim_shows() {
        let slow = row("a", 0.9, true).aim(Aim::Ratio(1.0));
        let long = Row::value("b", "s", 2.0).aim(Aim::Ours(1.5)).note("one").note("two");
        assert_eq!((cells(&slow)[5].as_str(), cells(&long)[5].as_str()), ("missed >=1.00", "missed <=1.50"));
        assert_eq!(cells(&long)[8], "one; two");
        assert_eq!(cells(&slow.aim(Aim::Ours(10.0)))[5], "<=10.0");
    }

    #[test]
    fn costs_become_a_row() {
        let cost = |seconds| Cost { wall_seconds: seconds * 2.0, cpu_seconds: seconds, peak_bytes: Some(3_000_000) };
        let row = Row::compared("5k".into(), "ns/word", 1_000_000, (cost(0.01), cost(0.02)), 1);
        assert_eq!((row.ours, row.limit, row.ratio), (10.0, Some(20.0), Some(2.0)));
        assert_eq!((row.limit_peak_mb, row.note.as_str()), (Some(3.0), "by wall time 2.00"));
    }

    #[test]
    fn the_table_lines_up() {
        let big = Row { ours_peak_mb: Some(3.0), limit_peak_mb: Some(512.4), ..row("5k words", 1.5, true) };
        let rows = [big, row("b", 0.5, false)];
        let table = table(&rows);
        assert_eq!(
            table,
            "\
row       unit     ours  limit  ratio  aim  ours MB  limit MB  note
5k words  ns/word  10.0   15.0   1.50    -      <64       512
b         ns/word  10.0   5.00   0.50    -        -         -  not counted
"
        );
    }

    #[test]
    fn json_is_one_object_to_a_line() {
        let row = Row { note: "a \"b\"\n".to_string(), ..row("x", 0.5, true) };
        assert_eq!(
            json(&row),
            r#"{"name":"x","unit":"ns/word","ours":10,"limit":5,"ratio":0.5,"ours_peak_mb":null,"limit_peak_mb":null,"aim_ratio_min":null,"aim_ours_max":null,"counted":true,"note":"a \"b\"\u000a"}"#
        );
    }
}
