//! Patterns of file names, as Hadoop's: which names match. It looks at no disk; `rdd/input_files.rs` does.
//!
//! `*` is any run of characters, `?` one, `[abc]` and `[a-z]` one of these, `[^a-z]` one of all others, `{a,b}` either
//! of these, which may be patterns and hold slashes, and `\` takes the next character as it is. None of them but a brace
//! reaches over a slash.

use crate::{Error, Result};

/// Paths that the braces of one pattern may stand for.
const ALTERNATIVES_MAX: usize = 10_000;

/// Whether `path` has a character that is special.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{', '\\'])
}

/// The items of a list, which commas part outside of braces.
pub(crate) fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut escaped) = (0usize, 0, false);
    let mut items = Vec::new();
    for (at, character) in list.char_indices() {
        match character {
            _ if escaped => {}
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = character == '\\' && !escaped;
    }
    items.push(&list[start..]);
    items
}

/// The patterns without braces that `pattern` stands for.
pub(crate) fn alternatives(pattern: &str) -> Result<Vec<String>> {
    let wrong = |why: &str| Error::program(format!("input pattern {pattern}: {why}"));
    let (mut open, mut done) = (vec![pattern.to_owned()], Vec::new());
    while let Some(next) = open.pop() {
        let Some((start, end)) = first_brace(&next).map_err(|()| wrong("a { is not closed by a }"))? else {
            done.push(next);
            continue;
        };
        let (before, inside, behind) = (&next[..start], &next[start + 1..end], &next[end + 1..]);
        open.extend(items(inside).into_iter().rev().map(|item| format!("{before}{item}{behind}")));
        if open.len() + done.len() > ALTERNATIVES_MAX {
            return Err(wrong(&format!("its braces stand for more than {ALTERNATIVES_MAX} paths")));
        }
    }
    Ok(done)
}

/// Where the first brace opens and closes, if there is any.
fn first_brace(pattern: &str) -> Result<Option<(usize, usize)>, ()> {
    let (mut depth, mut start, mut escaped) = (0usize, None, false);
    for (at, character) in pattern.char_indices() {
        match character {
            _ if escaped => {}
            '{' => {
                depth += 1;
                start = start.or(Some(at));
            }
            '}' if depth == 1 => return Ok(start.map(|start| (start, at))),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = character == '\\' && !escaped;
    }
    if depth == 0 { Ok(None) } else { Err(()) }
}

/// A pattern of a name, without braces.
pub(crate) struct NamePattern(Vec<Piece>);

enum Piece {
    Just(char),
    One,
    Any,
    OneOf { ranges: Vec<(char, char)>, negated: bool },
}

impl NamePattern {
    /// The pattern that `text` spells, which has no slash.
    pub(crate) fn new(text: &str) -> Result<NamePattern> {
        let wrong = |why: &str| Error::program(format!("input pattern {text}: {why}"));
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                '*' => Piece::Any,
                '?' => Piece::One,
                '[' => class(&mut characters).ok_or_else(|| wrong("a [ is not closed by a ], or a range is empty"))?,
                '\\' => Piece::Just(characters.next().ok_or_else(|| wrong("it ends with a \\"))?),
                other => Piece::Just(other),
            });
        }
        Ok(NamePattern(pieces))
    }
    /// The one name that it matches, if it has nothing special.
    pub(crate) fn name(&self) -> Option<String> {
        let just = |piece: &Piece| if let Piece::Just(character) = piece { Some(*character) } else { None };
        self.0.iter().map(just).collect()
    }
    /// Whether it asks for hidden names, which begin with `.` or `_`.
    pub(crate) fn is_hidden(&self) -> bool {
        matches!(self.0.first(), Some(Piece::Just('.' | '_')))
    }
    /// Whether the whole of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut piece, mut at) = (0, 0);
        // The last `*`, and how far it reaches so far: only that one ever needs to take more.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(piece) {
                Some(Piece::Any) => {
                    star = Some((piece, at));
                    piece += 1;
                }
                Some(one) if one.takes(name[at]) => {
                    piece += 1;
                    at += 1;
                }
                _ => {
                    let Some((of, reach)) = &mut star else { return false };
                    *reach += 1;
                    (piece, at) = (*of + 1, *reach);
                }
            }
        }
        self.0[piece..].iter().all(|piece| matches!(piece, Piece::Any))
    }
}

impl Piece {
    fn takes(&self, character: char) -> bool {
        match self {
            Piece::Just(own) => *own == character,
            Piece::One => true,
            Piece::Any => false,
            Piece::OneOf { ranges, negated } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) != *negated
            }
        }
    }
}

/// The rest of a class, behind its bracket.
fn class(characters: &mut std::str::Chars) -> Option<Piece> {
    let mut ranges: Vec<(char, char)> = Vec::new();
    let negated = characters.as_str().starts_with(['^', '!']);
    if negated {
        characters.next();
    }
    loop {
        let from = match characters.next()? {
            ']' if !ranges.is_empty() => return Some(Piece::OneOf { ranges, negated }),
            '\\' => characters.next()?,
            other => other,
        };
        let is_range = characters.as_str().starts_with('-') && !characters.as_str().starts_with("-]");
        let to = match is_range {
            false => from,
            true => match characters.nth(1)? {
                '\\' => characters.next()?,
                other => other,
            },
        };
        if to < from {
            return None;
        }
        ranges.push((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_match_and_names_that_do_not() {
        let cases = [
            ("*", "any", true),
            ("*", "", true),
            ("*.log", "a.log", true),
            ("*.log", ".log", true),
            ("*.log", "a.log.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("**a", "bba", true),
            ("?", "é", true),
            ("?", "", false),
            ("a?c", "abbc", false),
            ("[abc]x", "bx", true),
            ("[abc]x", "dx", false),
            ("part-[0-9]", "part-7", true),
            ("part-[0-9]", "part-x", false),
            ("[^0-9]", "x", true),
            ("[!0-9]", "5", false),
            ("[a\\]]", "]", true),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[\\-x]", "-", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            ("", "", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(NamePattern::new(pattern).unwrap().matches(name), expected, "{pattern} on {name}");
        }
        // This takes no time: only the last star takes more when something behind it does not match.
        assert!(!NamePattern::new(&("a*".repeat(50) + "c")).unwrap().matches(&"a".repeat(2000)));
    }

    #[test]
    fn what_is_special() {
        assert_eq!(NamePattern::new("pl\\ain").unwrap().name().as_deref(), Some("plain"));
        assert_eq!(NamePattern::new("pl?in").unwrap().name(), None);
        assert!(is_pattern("a{b,c}") && is_pattern("a\\,b") && !is_pattern("a,b"));
        assert!(NamePattern::new("_*").unwrap().is_hidden() && !NamePattern::new("*").unwrap().is_hidden());
        for wrong in ["[abc", "[", "[z-a]", "a\\"] {
            let error = NamePattern::new(wrong).err().unwrap().to_string();
            assert!(error.contains(&format!("input pattern {wrong}: ")), "{error}");
        }
    }

    #[test]
    fn braces_and_lists() {
        assert_eq!(alternatives("a{b,c}d").unwrap(), ["abd", "acd"]);
        assert_eq!(alternatives("{a,b{1,2}}/{x,y}").unwrap(), ["a/x", "a/y", "b1/x", "b1/y", "b2/x", "b2/y"]);
        assert_eq!(alternatives("a{b}{,c}").unwrap(), ["ab", "abc"]);
        assert_eq!(alternatives("a\\{b,c}").unwrap(), ["a\\{b,c}"]);
        assert!(alternatives("a{b,c").unwrap_err().to_string().contains("not closed"));
        let error = alternatives(&"{1,2,3,4,5,6,7,8,9,0}".repeat(5)).unwrap_err().to_string();
        assert!(error.contains("more than 10000 paths"), "{error}");
        assert_eq!(items("a,b{1,2},c\\,d"), ["a", "b{1,2}", "c\\,d"]);
        assert_eq!(items(""), [""]);
    }
}
