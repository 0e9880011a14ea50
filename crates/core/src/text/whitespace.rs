//! Splitting a text into the words between white space.

use std::iter::FusedIterator;

use super::Text;

impl Text {
    /// The words between white space of any language, as [`str::split_whitespace`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from("  to be\tor\u{a0}not ");
    /// assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["to", "be", "or", "not"]);
    /// ```
    pub fn split_whitespace(self) -> SplitWhitespace {
        SplitWhitespace { text: self, from: 0 }
    }

    /// The words between ASCII white space, as [`str::split_ascii_whitespace`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from(" to be\tor not");
    /// assert_eq!(line.split_ascii_whitespace().collect::<Vec<_>>(), ["to", "be", "or", "not"]);
    /// ```
    pub fn split_ascii_whitespace(self) -> SplitAsciiWhitespace {
        SplitAsciiWhitespace { text: self, from: 0 }
    }
}

/// The iterator of [`Text::split_whitespace`].
#[derive(Clone)]
pub struct SplitWhitespace {
    text: Text,
    from: usize,
}

impl Iterator for SplitWhitespace {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        let word = self.text[self.from..].split_whitespace().next()?;
        let word = self.text.part(word);
        let rest = self.text[self.from..].trim_start();
        self.from = self.text.len() - rest.len() + word.len();
        Some(word)
    }
}

impl FusedIterator for SplitWhitespace {}

/// The iterator of [`Text::split_ascii_whitespace`].
#[derive(Clone)]
pub struct SplitAsciiWhitespace {
    text: Text,
    from: usize,
}

impl Iterator for SplitAsciiWhitespace {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        let rest = self.text[self.from..].trim_ascii_start();
        let len = rest.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len());
        if len == 0 {
            return None;
        }
        self.from = self.text.len() - rest.len() + len;
        Some(self.text.part(&rest[..len]))
    }
}

impl FusedIterator for SplitAsciiWhitespace {}
