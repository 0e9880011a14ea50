//! Paths as stores take them: text, with `/` between folders.

/// The path of a file in a folder.
pub(crate) fn join(folder: &str, name: &str) -> String {
    match folder.trim_end_matches('/') {
        "" if folder.is_empty() => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// The folder that a path is in, and its name there.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The number that our files have in their names: 20 digits, so that names sort as numbers do.
pub(crate) fn number(digits: &str) -> Option<u64> {
    (digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_may_end_in_a_slash_or_be_none() {
        assert_eq!([join("a/b", "c"), join("a/b/", "c"), join("", "c"), join("/", "c")], ["a/b/c", "a/b/c", "c", "/c"]);
        assert_eq!([split("a/b/c"), split("c"), split("/c")], [("a/b", "c"), ("", "c"), ("", "c")]);
    }
}
