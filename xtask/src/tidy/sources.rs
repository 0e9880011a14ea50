//! Rules on one Rust file: how it opens, how long it is, and whether it may hold unsafe code.

/// The files that may hold unsafe code, each with its safe surface and its run under `cargo xtask sanitize`.
/// A `*` stands for any name within one folder. A new line here needs a reason in its commit.
const UNSAFE_FILES: &[&str] = &[
    "crates/core/src/text/raw.rs",
    "crates/core/src/text/raw/*.rs",
    "crates/core/src/rdd/combine_table/*.rs",
    "crates/core/src/rdd/retain.rs",
];

/// Without its tests a file longer than this holds two concepts.
const LINES_MAX: usize = 500;

/// The lint by which unsafe code is let in; written in two parts so that this file does not trip over itself.
const UNSAFE_LINT: &str = concat!("unsafe", "_code");

pub(crate) fn check(file: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_test = file.split('/').any(|part| part == "tests" || part == "tests.rs");
    if file.contains("/src/") && !text.starts_with("//!") {
        complaints.push(format!("{file}:1: open the file with a `//!` line: what it is and what it never does"));
    }
    let lines = lines_without_tests(text);
    if !is_test && lines > LINES_MAX {
        complaints.push(format!("{file}: {lines} lines without tests, {LINES_MAX} at most: split it by concept"));
    }
    if !UNSAFE_FILES.iter().any(|pattern| matches(pattern, file)) {
        let lets_in = |line: &str| !line.trim_start().starts_with("//") && line.contains(UNSAFE_LINT);
        let found = text.lines().enumerate().filter(|(_, line)| lets_in(line));
        complaints.extend(found.map(|(at, _)| {
            format!("{file}:{}: unsafe code is for the files listed in xtask/src/tidy/sources.rs", at + 1)
        }));
    }
    complaints
}

/// The lines up to the test module, which stands last in a file.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests"));
    tests.unwrap_or(lines.len())
}

/// True if `file` is `pattern`, where one `*` stands for a name without a slash.
fn matches(pattern: &str, file: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == file };
    let name = file.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    name.is_some_and(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_opens_with_its_doc() {
        assert_eq!(check("crates/core/src/time.rs", "//! Time.\n"), [""; 0]);
        let complaints = check("crates/core/src/time.rs", "use std::fmt;\n");
        assert!(complaints[0].starts_with("crates/core/src/time.rs:1: open the file"), "{complaints:?}");
    }

    #[test]
    fn long_files_are_split_but_tests_are_free() {
        let code = "//! Long.\n".to_string() + &"fn f() {}\n".repeat(LINES_MAX);
        assert!(check("crates/core/src/time.rs", &code)[0].contains("501 lines"));
        assert_eq!(check("crates/core/src/time/tests.rs", &code), [""; 0]);
        let tests = "//! Short.\n#[cfg(test)]\nmod tests {\n".to_string() + &"//\n".repeat(LINES_MAX) + "}\n";
        assert_eq!(check("crates/core/src/time.rs", &tests), [""; 0]);
    }

    #[test]
    fn only_listed_files_let_unsafe_in() {
        let code = format!("//! Raw.\n#![allow(\n    {UNSAFE_LINT},\n    reason = \"speed\"\n)]\n// {UNSAFE_LINT}\n");
        assert_eq!(check("crates/core/src/text/raw.rs", &code), [""; 0]);
        assert_eq!(check("crates/core/src/rdd/combine_table/probe.rs", &code), [""; 0]);
        for elsewhere in ["crates/core/src/text/mod.rs", "crates/core/src/rdd/combine_table/a/b.rs"] {
            let complaints = check(elsewhere, &code);
            assert_eq!(complaints.len(), 1);
            assert!(complaints[0].starts_with(&format!("{elsewhere}:3: unsafe code")), "{complaints:?}");
        }
    }
}
