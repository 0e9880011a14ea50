//! Settings files: TOML, or the form of Spark's `spark-defaults.conf`. Both become lines of key and value; what keys
//! there are is not known here.

use headwater_core::{Error, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A setting of a file.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) key: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) number: usize,
}

/// The settings of the file called `path`, whose ending says how it is written, in the order of its lines.
pub(super) fn lines(path: &str, text: &str) -> Result<Vec<Line>> {
    let extension = path.rsplit(['/', '\\']).next().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    match extension {
        Some("toml") => toml_lines(path, text),
        Some("conf" | "properties") => properties(path, text),
        _ => Err(Error::program(format!(
            "settings file {path}: its name must end with .toml, or with .conf or .properties for the form of Spark's \
             spark-defaults.conf"
        ))),
    }
}

fn malformed(path: &str, number: usize, why: &str) -> Error {
    Error::program(format!("{path}:{number}: {why}"))
}

/// Tables are joined with dots: `[headwater.streaming]` with `concurrent_jobs = 2` sets one key.
fn toml_lines(path: &str, text: &str) -> Result<Vec<Line>> {
    let line_of = |at: usize| 1 + text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count();
    // The parser's own text would quote the line, which may hold a secret.
    let table = DeTable::parse(text)
        .map_err(|error| malformed(path, line_of(error.span().map_or(0, |span| span.start)), error.message()))?;
    let mut found = Vec::new();
    flatten("", table.get_ref(), &mut found)
        .map_err(|(at, key, what)| malformed(path, line_of(at), &format!("{key} is {what}, and must be one value")))?;
    found.sort_by_key(|(at, ..)| *at);
    // Lines are counted on from one setting to the next: from the start for each, a long file would take for ever.
    let (mut number, mut counted) = (1, 0);
    let numbered = found.into_iter().map(|(at, key, value)| {
        number += text.as_bytes()[counted..at].iter().filter(|byte| **byte == b'\n').count();
        counted = at;
        Line { key, value, number }
    });
    Ok(numbered.collect())
}

/// Adds the settings in `table` with their places in the text; in error the place, the key and what stands there.
fn flatten(
    prefix: &str,
    table: &DeTable<'_>,
    found: &mut Vec<(usize, String, String)>,
) -> Result<(), (usize, String, &'static str)> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        let text = match value.get_ref() {
            DeValue::Table(inner) => {
                flatten(&key, inner, found)?;
                continue;
            }
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Integer(number) => match u64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.to_string(),
                Err(_) => number.to_string(),
            },
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Datetime(_) => return Err((start(name), key, "a date")),
            DeValue::Array(_) => return Err((start(name), key, "a list")),
        };
        found.push((start(name), key, text));
    }
    Ok(())
}

fn start<T>(spanned: &Spanned<T>) -> usize {
    spanned.span().start
}

/// `key value`, `key=value` or `key: value` in each line, as Java's properties but without their escapes; `#` and `!`
/// begin a comment.
fn properties(path: &str, text: &str) -> Result<Vec<Line>> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        if line.ends_with('\\') {
            return Err(malformed(path, number, "a setting cannot be continued on the next line"));
        }
        let end = line.find(|letter: char| letter.is_whitespace() || letter == '=' || letter == ':');
        let (key, rest) = line.split_at(end.unwrap_or(line.len()));
        // At most one separator beside blanks: `key = =value` has the value `=value`.
        let rest = rest.trim_start();
        let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
        if key.is_empty() || value.is_empty() {
            return Err(malformed(path, number, "a setting is a key and a value: headwater.master local[2]"));
        }
        found.push(Line { key: key.to_owned(), value: value.to_owned(), number });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Vec<(String, String, usize)> {
        let lines = lines(path, text).unwrap().into_iter();
        lines.map(|line| (line.key, line.value, line.number)).collect()
    }
    fn owned(lines: &[(&str, &str, usize)]) -> Vec<(String, String, usize)> {
        lines.iter().map(|(key, value, number)| (key.to_string(), value.to_string(), *number)).collect()
    }

    #[test]
    fn toml_tables_become_keys_with_their_lines() {
        let text = "# settings\n\"a.b\" = 1\n[z]\nx = 'text'\ny.w = true\n\n[z.inner]\nn = 0x10\nk = 1_000\n\
                    f = 2.5\nlong = \"\"\"two\nlines\"\"\"\nin = { line = -3 }\n[empty]\n";
        let expected = [
            ("a.b", "1", 2),
            ("z.x", "text", 4),
            ("z.y.w", "true", 5),
            ("z.inner.n", "16", 8),
            ("z.inner.k", "1000", 9),
            ("z.inner.f", "2.5", 10),
            ("z.inner.long", "two\nlines", 11),
            ("z.inner.in.line", "-3", 13),
        ];
        assert_eq!(read("a.toml", text), owned(&expected));
        assert_eq!(read("a.toml", ""), owned(&[]));
        assert_eq!(read("folder.conf/a.toml", "a = 1\r\nb = 2\r\n"), owned(&[("a", "1", 1), ("b", "2", 2)]));
    }

    #[test]
    fn properties_have_a_key_and_a_value_in_each_line() {
        let text = "# comment\n! comment\n\n a 1\nb=2\n c : local[2] \nd\t= two words = # all\n";
        let expected = [("a", "1", 4), ("b", "2", 5), ("c", "local[2]", 6), ("d", "two words = # all", 7)];
        assert_eq!(read("spark-defaults.conf", text), owned(&expected));
        assert_eq!(read("a.properties", "a 1\r\n"), owned(&[("a", "1", 1)]));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line_and_without_its_text() {
        let secret = "[headwater]\nhash_seed = secret\n";
        let cases = [
            ("a.toml", "a = 1\nb = \n", "a.toml:2: string values must be quoted"),
            ("a.toml", "a = 1\na = 2\n", "a.toml:2: duplicate key"),
            ("a.toml", "a = 1\n\na.b = 2\n", "a.toml:3: cannot extend value"),
            ("a.toml", "[a]\nb = [1]\n", "a.toml:2: a.b is a list, and must be one value"),
            ("a.toml", "[[a]]\nb = 1\n", "a.toml:1: a is a list, and must be one value"),
            ("a.toml", "a = 2000-01-01\n", "a.toml:1: a is a date, and must be one value"),
            ("a.toml", secret, "a.toml:2: "),
            ("a.conf", "a 1\nb\n", "a.conf:2: a setting is a key and a value"),
            ("a.conf", "= 1\n", "a.conf:1: a setting is a key and a value"),
            ("a.conf", "a b \\\n c", "a.conf:1: a setting cannot be continued"),
            ("a.yaml", "", "settings file a.yaml: its name must end with .toml"),
            ("settings", "", "settings file settings: its name must end"),
            ("folder.toml/settings", "", "settings file folder.toml/settings: its name must end"),
        ];
        for (path, text, part) in cases {
            let error = lines(path, text).unwrap_err().to_string();
            assert!(error.starts_with(part), "{part:?} is not in {error:?}");
            assert!(!error.contains("= secret"), "{error}");
        }
    }
}
