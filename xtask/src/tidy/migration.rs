//! The migration guide must not rot: what its tables say is here must be in the sources, and what is absent has a reason.
//!
//! A row is `| Spark | Headwater | note |`. In the second column, code that reads `Type::item`, `module::function` or
//! `.method(` is looked up; a column that is only `–` says that there is nothing, and then the note says why.

/// Complains of each row of the tables in `document` that is wrong; `sources` are the texts of the crates' Rust files.
pub(crate) fn check(file: &str, document: &str, sources: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut in_code = false;
    for (at, line) in document.lines().enumerate() {
        in_code ^= line.starts_with("```");
        if in_code || !line.starts_with('|') || line.starts_with("|---") {
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, here, note] = cells[..] else {
            complaints.push(format!("{file}:{}: a row has three columns: Spark, Headwater, note", at + 1));
            continue;
        };
        if here.is_empty() || here == "–" && note.is_empty() {
            complaints.push(format!("{file}:{}: nothing stands for it here, and no reason why", at + 1));
        }
        let missing = names(here).into_iter().filter(|name| !sources.iter().any(|source| name.is_in(source)));
        complaints.extend(missing.map(|name| format!("{file}:{}: the sources have no {}", at + 1, name.shown())));
    }
    complaints
}

/// What the document says exists: an item, perhaps of a type.
struct Name<'a> {
    owner: Option<&'a str>,
    item: &'a str,
}

/// The names in the code of a cell. Those of the standard library (`std::...`) are not ours to check.
fn names(cell: &str) -> Vec<Name<'_>> {
    let mut names = Vec::new();
    for code in cell.split('`').skip(1).step_by(2).filter(|code| !code.starts_with("std::")) {
        for (at, _) in code.match_indices("::") {
            let owner = code[..at].rsplit(is_no_word).next().unwrap_or_default();
            let item = code[at + 2..].split(is_no_word).next().unwrap_or_default();
            let owner = owner.starts_with(char::is_uppercase).then_some(owner);
            names.push(Name { owner, item });
        }
        for (at, _) in code.match_indices('.') {
            let (item, rest) = code[at + 1..].split_at(code[at + 1..].find(is_no_word).unwrap_or(code.len() - at - 1));
            if rest.starts_with('(') {
                names.push(Name { owner: None, item });
            }
        }
    }
    names
}

fn is_no_word(character: char) -> bool {
    !character.is_alphanumeric() && character != '_'
}

impl Name<'_> {
    fn shown(&self) -> String {
        self.owner.map_or_else(|| self.item.to_string(), |owner| format!("{owner}::{}", self.item))
    }

    /// Whether `source` declares it, and below a heading (`impl`, `trait`, ...) that names the owner.
    fn is_in(&self, source: &str) -> bool {
        let mut of_owner = self.owner.is_none();
        source.lines().any(|line| {
            let heading = line.trim_start_matches("pub ");
            if let Some(owner) = self.owner
                && ["impl", "struct ", "enum ", "trait "].iter().any(|start| heading.starts_with(start))
            {
                of_owner = has_word(line, owner);
            }
            of_owner && self.declared_by(line.trim())
        })
    }

    /// A function, a constant, a public field, or a variant of an enum.
    fn declared_by(&self, line: &str) -> bool {
        let line = line.trim_start_matches("pub ").trim_start_matches("const ");
        let variant = self.item.starts_with(char::is_uppercase);
        let named = line.trim_start_matches("fn ").strip_prefix(self.item);
        named.is_some_and(|rest| match rest.chars().next() {
            Some('(' | '<') => line.starts_with("fn ") || variant,
            Some(':') => true,
            Some(' ' | ',') => variant,
            _ => false,
        })
    }
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(is_no_word).any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(table: &str) -> Vec<String> {
        let sources = [
            "impl<T: Record> DStream<T> {\n    pub fn map<U>(&self) {\n    pub fn count(&self) {}\n}\nimpl Rdd {\n    pub fn take(",
            "pub enum State {\n    Active,\n    Failed(Error),\n}\npub struct Info {\n    pub batch_time: Time,\n}\n",
            "impl Level {\n    pub const MEMORY: Level = Level::new();\n}\npub fn check() {}\n",
        ];
        check("m.md", table, &sources.map(str::to_string))
    }

    #[test]
    fn what_is_there_passes() {
        let rows = "| Spark | here | |\n|---|---|---|\n| `map` | `DStream::map`, `.count()` | |\n\
            | s | `State::Active` `State::Failed` `Info::batch_time` | |\n| l | `Level::MEMORY` | |\n\
            | t | `kit::check` `std::time::Duration::new` | |\n| none | – | the reason |\n";
        assert_eq!(complaints(rows), [""; 0]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = |cell: &str| complaints(&format!("| s | {cell} | |\n"));
        assert_eq!(missing("`DStream::check`"), ["m.md:1: the sources have no DStream::check"]);
        assert_eq!(missing("`DStream::take` `Rdd::take`"), ["m.md:1: the sources have no DStream::take"]);
        assert_eq!(missing("`Level::DISK` `.coun()`").len(), 2);
        assert_eq!(missing("`State::Stopped`").len(), 1);
        assert_eq!(missing("`State::batch_times`").len(), 1);
    }

    #[test]
    fn a_hole_needs_a_reason() {
        assert_eq!(complaints("| s | – | |\n"), ["m.md:1: nothing stands for it here, and no reason why"]);
        assert_eq!(complaints("| s | | because |\n").len(), 1);
        assert_eq!(complaints("| s | `.map(` |\n"), ["m.md:1: a row has three columns: Spark, Headwater, note"]);
    }
}
