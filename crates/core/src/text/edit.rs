//! Methods that give one text for another: parts of it, other cases, replacements.

use std::ops::{Bound, RangeBounds};
use std::str;

use super::raw::INLINE_MAX;
use super::split::Matches;
use super::{Separator, Text};

impl Text {
    /// The text without white space at both ends.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from(" 42\r\n").trim(), "42");
    /// ```
    pub fn trim(&self) -> Text {
        self.part(self.as_str().trim())
    }

    /// The text without white space at its start.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from(" 42 ").trim_start(), "42 ");
    /// ```
    pub fn trim_start(&self) -> Text {
        self.part(self.as_str().trim_start())
    }

    /// The text without white space at its end.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from(" 42 ").trim_end(), " 42");
    /// ```
    pub fn trim_end(&self) -> Text {
        self.part(self.as_str().trim_end())
    }

    /// The text without the matches at both ends, however often they are repeated.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("\"quoted\"").trim_matches('"'), "quoted");
    /// assert_eq!(Text::from("(ok),").trim_matches(|c: char| c.is_ascii_punctuation()), "ok");
    /// ```
    pub fn trim_matches(&self, mut pattern: impl Separator) -> Text {
        let mut rest = self.as_str();
        while let Some(len @ 1..) = pattern.prefix_len(rest) {
            rest = &rest[len..];
        }
        while let Some(len @ 1..) = pattern.suffix_len(rest) {
            rest = &rest[..rest.len() - len];
        }
        self.part(rest)
    }

    /// What follows the prefix, if the text begins with it.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("#rust").strip_prefix('#').unwrap(), "rust");
    /// assert_eq!(Text::from("rust").strip_prefix("#"), None);
    /// ```
    pub fn strip_prefix(&self, mut prefix: impl Separator) -> Option<Text> {
        let len = prefix.prefix_len(self)?;
        Some(self.part(&self[len..]))
    }

    /// What comes before the suffix, if the text ends with it.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("access.log").strip_suffix(".log").unwrap(), "access");
    /// assert_eq!(Text::from("access").strip_suffix(".log"), None);
    /// ```
    pub fn strip_suffix(&self, mut suffix: impl Separator) -> Option<Text> {
        let len = suffix.suffix_len(self)?;
        Some(self.part(&self[..self.len() - len]))
    }

    /// The bytes of the range, if it lies inside the text and does not cut a character.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let day = Text::from("2013-07-16T09:30");
    /// assert_eq!(day.slice(..10).unwrap(), "2013-07-16");
    /// assert_eq!(day.slice(10..20), None);
    /// ```
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Option<Text> {
        let range: (Bound<usize>, Bound<usize>) = (range.start_bound().cloned(), range.end_bound().cloned());
        self.as_str().get(range).map(|part| self.part(part))
    }

    /// The text in lower case, as [`str::to_lowercase`] makes it.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("GRÜN").to_lowercase(), "grün");
    /// ```
    pub fn to_lowercase(&self) -> Text {
        if self.is_ascii() { self.to_ascii_lowercase() } else { Text::copy_of(&self.as_str().to_lowercase()) }
    }

    /// The text in upper case, as [`str::to_uppercase`] makes it.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("groß").to_uppercase(), "GROSS");
    /// ```
    pub fn to_uppercase(&self) -> Text {
        if self.is_ascii() { self.to_ascii_uppercase() } else { Text::copy_of(&self.as_str().to_uppercase()) }
    }

    /// The text with the letters A to Z in lower case.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("The Ü").to_ascii_lowercase(), "the Ü");
    /// ```
    pub fn to_ascii_lowercase(&self) -> Text {
        self.edited(str::make_ascii_lowercase)
    }

    /// The text with the letters a to z in upper case.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("The ü").to_ascii_uppercase(), "THE ü");
    /// ```
    pub fn to_ascii_uppercase(&self) -> Text {
        self.edited(str::make_ascii_uppercase)
    }

    /// A copy that `edit` changed in place; a short one is edited on the stack.
    fn edited(&self, edit: impl FnOnce(&mut str)) -> Text {
        let mut short = [0; INLINE_MAX];
        if self.len() > INLINE_MAX {
            let mut long = self.as_str().to_owned();
            edit(&mut long);
            return Text::copy_of(&long);
        }
        let short = &mut short[..self.len()];
        short.copy_from_slice(self.as_bytes());
        let short = str::from_utf8_mut(short).expect("a copy of a str is UTF-8");
        edit(short);
        Text::copy_of(short)
    }

    /// The text with every match of `from` replaced, as [`str::replace`] does it.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("1,234,567").replace(',', ""), "1234567");
    /// ```
    pub fn replace(&self, from: impl Separator, to: &str) -> Text {
        let mut matches = Matches::new(from);
        let Some(mut found) = matches.next(self) else { return self.clone() };
        let (mut replaced, mut rest) = (String::with_capacity(self.len()), 0);
        loop {
            let (start, end) = found;
            replaced.push_str(&self[rest..start]);
            replaced.push_str(to);
            rest = end;
            match matches.next(self) {
                Some(next) => found = next,
                None => break,
            }
        }
        replaced.push_str(&self[rest..]);
        Text::copy_of(&replaced)
    }

    /// The same text, in memory of its own if it was part of a block: for what lives longer than a batch.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from("a line with an uncharacteristically long word");
    /// let word = line.split(' ').nth(4).unwrap().detached();
    /// assert_eq!(word, "uncharacteristically");
    /// ```
    pub fn detached(&self) -> Text {
        if self.is_detached() { self.clone() } else { Text::copy_of(self) }
    }
}
