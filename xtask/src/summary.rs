//! Adds up the `test result:` lines of `cargo test`: one per test binary and one or two per crate with doc tests.

use std::fmt;

/// How many tests passed and failed; ignored and filtered tests count as neither.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Summary {
    /// Sums over all of the output. Only whole lines count, so a test that prints such words in passing adds nothing.
    pub(crate) fn of(output: &str) -> Summary {
        let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
        results.fold(Summary::default(), |sum, result| Summary {
            passed: sum.passed + count(result, "passed"),
            failed: sum.failed + count(result, "failed"),
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number in front of `word`, as in `ok. 12 passed; 0 failed; 1 ignored`.
fn count(result: &str, word: &str) -> u64 {
    let words: Vec<&str> = result.split([' ', ';', '.']).filter(|part| !part.is_empty()).collect();
    let at = words.iter().position(|part| *part == word);
    at.and_then(|at| words[at.checked_sub(1)?].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_binaries() {
        let output = "running 2 tests\ntest a ... ok\n\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n\
            test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.20s\n";
        assert_eq!(Summary::of(output), Summary { passed: 12, failed: 3 });
        assert_eq!(Summary::of(output).to_string(), "12 passed, 3 failed");
    }

    #[test]
    fn nothing_ran() {
        assert_eq!(Summary::of("error: could not compile\n").to_string(), "0 passed, 0 failed");
    }

    #[test]
    fn only_lines_that_begin_so_count() {
        assert_eq!(Summary::of("note: test result: ok. 2 passed; 0 failed\n"), Summary::default());
    }
}
