//! [`Key`]: a setting as it is declared: its name, type, range, default and meaning.

use super::quantity::{duration_text, parse_duration, parse_size, size_text};
use std::time::Duration;

/// The most threads that a setting may ask for: far above any machine, far below what breaks one.
pub(super) const THREADS_MAX: u64 = 4096;

/// What a setting is called, may be and does. All of them stand in the table of [`super::keys`].
pub(crate) struct Key {
    /// `headwater.`, an area or none, and the name of the method of `Conf` that sets it.
    pub(crate) name: &'static str,
    /// The key of Spark that means the same, which is another name for this one.
    pub(crate) spark: Option<&'static str>,
    /// What its values are.
    pub(crate) kind: Kind,
    /// Its value, as text, where nothing sets it.
    pub(crate) default: &'static str,
    /// A secret's value is shown nowhere.
    pub(crate) secret: bool,
    /// What it does, in sentences; code in backticks.
    pub(crate) meaning: &'static str,
}

/// The type of a setting, with its range, both ends of which are allowed.
pub(crate) enum Kind {
    /// One line of text.
    Text,
    /// One of some words.
    Word(&'static [&'static str]),
    /// Where tasks run.
    Master,
    /// A whole number.
    Number { min: u64, max: u64 },
    /// A whole number, or a word for what is found out when the context is made.
    NumberOr { word: &'static str, min: u64, max: u64 },
    /// A number of bytes.
    Size { min: u64, max: u64 },
    /// A length of time.
    Duration { min: Duration, max: Duration },
    /// A length of time, or a word for none.
    DurationOr { word: &'static str, min: Duration, max: Duration },
    /// Yes or no.
    Flag,
}

impl Key {
    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        self.name.replace('.', "_").to_ascii_uppercase()
    }
    /// The name's last part, which is the method of `Conf`.
    pub(super) fn method(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
    /// The value for people.
    pub(super) fn shown(&self, value: &str) -> String {
        if self.secret && value != self.default { "[redacted]".to_owned() } else { value.to_owned() }
    }
}

impl Kind {
    /// Whether `value` can be one of this type; if not, what is wrong with it.
    pub(super) fn check(&self, value: &str) -> Result<(), String> {
        let number = |min, max| parse_number(value).is_some_and(|number| (min..=max).contains(&number));
        let duration = |min, max| parse_duration(value).is_some_and(|time| (min..=max).contains(&time));
        let fits = match *self {
            Kind::Text => !value.chars().any(char::is_control),
            Kind::Word(words) => words.contains(&value.trim()),
            Kind::Master => return task_threads(value).map(drop),
            Kind::Number { min, max } => number(min, max),
            Kind::NumberOr { word, min, max } => value.trim() == word || number(min, max),
            Kind::Size { min, max } => parse_size(value).is_some_and(|bytes| (min..=max).contains(&bytes)),
            Kind::Duration { min, max } => duration(min, max),
            Kind::DurationOr { word, min, max } => value.trim() == word || duration(min, max),
            Kind::Flag => parse_flag(value).is_some(),
        };
        if fits { Ok(()) } else { Err(format!("is not {}", self.expected())) }
    }
    /// What values there are.
    pub(super) fn range(&self) -> String {
        match *self {
            Kind::Text => "one line".to_owned(),
            Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Kind::Master => format!("`local`, `local[N]` with N from 1 to {THREADS_MAX}, `local[*]`"),
            Kind::Number { min, max } => span(min, max, |number| number.to_string()),
            Kind::NumberOr { word, min, max } => format!("`{word}`, or from {min} to {max}"),
            Kind::Size { min, max } => span(min, max, size_text),
            Kind::Duration { min, max } => format!("from {} to {}", duration_text(min), duration_text(max)),
            Kind::DurationOr { word, min, max } => {
                format!("`{word}`, or from {} to {}", duration_text(min), duration_text(max))
            }
            Kind::Flag => "`true`, `false`".to_owned(),
        }
    }
    /// What a value must be, in a sentence.
    fn expected(&self) -> String {
        let range = self.range();
        match self {
            Kind::Text | Kind::Master => range,
            Kind::Word(_) => format!("one of {range}"),
            Kind::Number { .. } => format!("a whole number {range}"),
            Kind::NumberOr { word, min, max } => format!("{word:?}, or a whole number from {min} to {max}"),
            Kind::Size { .. } => format!("a size in bytes {range}, such as 64k, 256m or 1g"),
            Kind::Duration { .. } => format!("a duration {range}, such as 200ms, 5s or 10min"),
            Kind::DurationOr { word, min, max } => {
                let (min, max) = (duration_text(*min), duration_text(*max));
                format!("{word:?}, or a duration from {min} to {max}, such as 200ms, 5s or 10min")
            }
            Kind::Flag => "true or false".to_owned(),
        }
    }
}

/// `from 1 to 10`, or `from 1 up` where there is no upper end.
fn span(min: u64, max: u64, text: impl Fn(u64) -> String) -> String {
    let to = if max == u64::MAX { "up".to_owned() } else { format!("to {}", text(max)) };
    format!("from {} {to}", text(min))
}

/// A whole number without a sign.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let text = text.trim();
    // `parse` would take a plus.
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// A flag, as Spark writes it.
pub(super) fn parse_flag(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |word| text.eq_ignore_ascii_case(word);
    is("true").then_some(true).or(is("false").then_some(false))
}

/// The task threads of a master; what is wrong with one that is not understood.
pub(super) fn task_threads(master: &str) -> Result<usize, String> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let invalid =
        |why: &str| Err(format!("{why}; use \"local\", \"local[N]\" with N from 1 to {THREADS_MAX}, or \"local[*]\""));
    match master.strip_prefix("local") {
        Some("") => Ok(1),
        Some("[*]") => Ok(cores()),
        Some(rest) => match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(parse_number) {
            Some(0) => invalid("has no thread to run tasks on"),
            Some(threads @ ..=THREADS_MAX) => Ok(threads as usize),
            _ => invalid("is not understood"),
        },
        None => invalid("is not understood"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters() {
        assert_eq!(task_threads("local"), Ok(1));
        assert_eq!(task_threads("local[3]"), Ok(3));
        assert!(task_threads("local[*]").unwrap() >= 1);
        for bad in [
            "local[0]",
            "local[-1]",
            "local[+1]",
            "local[x]",
            "local[2",
            "local[]",
            "spark://host:7077",
            "",
            "local[99999]",
        ] {
            let complaint = task_threads(bad).unwrap_err();
            assert!(complaint.contains("local[N]"), "{bad}: {complaint}");
        }
    }

    #[test]
    fn a_value_of_each_type_is_checked_and_a_wrong_one_told_what_it_must_be() {
        let (min, max) = (1, 8);
        let (text, number) = (Kind::Text, Kind::Number { min, max });
        let endless = Kind::Number { min, max: u64::MAX };
        let number_or = Kind::NumberOr { word: "threads", min, max };
        let size = Kind::Size { min: 1, max: 1 << 20 };
        let duration = Kind::Duration { min: Duration::from_millis(1), max: Duration::from_secs(60) };
        let duration_or =
            Kind::DurationOr { word: "none", min: Duration::from_millis(1), max: Duration::from_secs(60) };
        let cases: [(&Kind, &[&str], &[&str], &str); 9] = [
            (&Kind::Word(&["in", "out"]), &["in", " out "], &["", "yes", "1"], "is not one of `in`, `out`"),
            (&text, &["", "any thing"], &["two\nlines", "\0"], "is not one line"),
            (&number, &["1", " 8 "], &["0", "9", "+1", "-1", "x", "", "1.0"], "is not a whole number from 1 to 8"),
            (
                &endless,
                &["1", "18446744073709551615"],
                &["0", "18446744073709551616"],
                "is not a whole number from 1 up",
            ),
            (&number_or, &["threads", "8"], &["thread", "0"], "is not \"threads\", or a whole number from 1 to 8"),
            (
                &size,
                &["1", "1024k", "1m"],
                &["0", "1025k", "2s"],
                "is not a size in bytes from 1 to 1m, such as 64k, 256m or 1g",
            ),
            (
                &duration,
                &["1", "1000us", "1min"],
                &["0", "999us", "61s", "2k"],
                "is not a duration from 1ms to 1min, such as 200ms, 5s or 10min",
            ),
            (
                &duration_or,
                &["none", "1", "1min"],
                &["no", "0", "61s"],
                "is not \"none\", or a duration from 1ms to 1min, such as 200ms, 5s or 10min",
            ),
            (&Kind::Flag, &["true", " False "], &["yes", "1", ""], "is not true or false"),
        ];
        for (kind, good, bad, complaint) in cases {
            good.iter().for_each(|value| assert_eq!(kind.check(value), Ok(()), "{value}"));
            bad.iter().for_each(|value| assert_eq!(kind.check(value).unwrap_err(), complaint, "{value}"));
        }
    }
}
