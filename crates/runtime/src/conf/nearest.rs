//! What a mistyped key was meant to be.

/// Longer names are not compared: the time grows with the product of both lengths, and no key is that long.
const COMPARED_MAX: usize = 100;

/// Of `known`, the name that `given` was meant to be, if one is near: one with the same last part, or the one with the
/// fewest mistyped letters. Case, `_` and `-` do not count.
pub(super) fn nearest<S: AsRef<str>>(given: &str, known: &[S]) -> Option<usize> {
    if given.len() > COMPARED_MAX {
        return None;
    }
    let given = folded(given);
    let known: Vec<String> = known.iter().map(|name| folded(name.as_ref())).collect();
    let distances = known.iter().map(|name| distance(&given, name));
    let (at, typing_errors) = distances.enumerate().min_by_key(|(_, distance)| *distance)?;
    if typing_errors <= 1 + given.len() / 8 {
        return Some(at);
    }
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    known.iter().position(|name| last(name) == last(&given))
}

fn folded(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// How many letters to add, drop or change (Levenshtein's distance), one row of the table at a time.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut above_left = row[0];
        row[0] = at + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = above_left + usize::from(letter != *other);
            above_left = row[column + 1];
            row[column + 1] = changed.min(above_left + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let cases = [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("same", "same", 0)];
        for (from, to, expected) in cases {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn the_name_that_was_meant() {
        let known = ["headwater.master", "headwater.streaming.concurrent_jobs", "spark.streaming.concurrentJobs"];
        let cases = [
            ("headwater.mastre", Some(0)),
            ("HEADWATER.MASTER", Some(0)),
            ("master", Some(0)),
            ("headwater.streaming.concurent_job", Some(1)),
            ("headwater.streaming.concurrentJobs", Some(1)),
            ("concurrent-jobs", Some(1)),
            ("spark.streaming.concurrent_jobs", Some(2)),
            ("headwater.pace", None),
            ("spark.hadoop.fs.s3a.path", None),
            ("", None),
        ];
        for (given, expected) in cases {
            assert_eq!(nearest(given, &known), expected, "{given}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), &known), None);
        assert_eq!(nearest("master", &[""; 0]), None);
    }
}
