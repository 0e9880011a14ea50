//! Splitting a text into the words between white space.

use std::iter::FusedIterator;

use super::Text;
use super::raw::{AsciiWhitespace, Whitespace, Words};

impl Text {
    /// The words between white space of any language, as [`str::split_whitespace`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from("  to be\tor\u{a0}not ");
    /// assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["to", "be", "or", "not"]);
    /// ```
    #[inline]
    pub fn split_whitespace(self) -> SplitWhitespace {
        if self.is_ascii() {
            return SplitWhitespace(Way::Ascii(Words::new(self, Whitespace)));
        }
        SplitWhitespace(Way::Unicode { text: self, from: 0 })
    }

    /// The words between ASCII white space, as [`str::split_ascii_whitespace`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from(" to be\tor not");
    /// assert_eq!(line.split_ascii_whitespace().collect::<Vec<_>>(), ["to", "be", "or", "not"]);
    /// ```
    #[inline]
    pub fn split_ascii_whitespace(self) -> SplitAsciiWhitespace {
        SplitAsciiWhitespace(Words::new(self, AsciiWhitespace))
    }
}

/// The iterator of [`Text::split_whitespace`].
#[derive(Clone)]
pub struct SplitWhitespace(Way);

#[derive(Clone)]
enum Way {
    /// All of the line is ASCII.
    Ascii(Words<Whitespace>),
    Unicode {
        text: Text,
        /// Where the next word begins, or white space before it.
        from: usize,
    },
}

impl Iterator for SplitWhitespace {
    type Item = Text;

    #[inline]
    fn next(&mut self) -> Option<Text> {
        match &mut self.0 {
            Way::Ascii(words) => words.next(),
            Way::Unicode { text, from } => next_word(text, from),
        }
    }
}

/// The next word of text in any language.
fn next_word(text: &Text, from: &mut usize) -> Option<Text> {
    let rest = text[*from..].trim_start();
    let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
    if len == 0 {
        return None;
    }
    *from = text.len() - rest.len() + len;
    Some(text.part(&rest[..len]))
}

impl FusedIterator for SplitWhitespace {}

/// The iterator of [`Text::split_ascii_whitespace`].
#[derive(Clone)]
pub struct SplitAsciiWhitespace(Words<AsciiWhitespace>);

impl Iterator for SplitAsciiWhitespace {
    type Item = Text;

    #[inline(always)]
    fn next(&mut self) -> Option<Text> {
        self.0.next()
    }
}

impl FusedIterator for SplitAsciiWhitespace {}
