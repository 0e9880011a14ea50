//! Iterators over a text's characters and bytes that own the text.

use std::iter::FusedIterator;

use super::Text;

impl Text {
    /// The characters.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("née").chars().rev().collect::<String>(), "eén");
    /// ```
    pub fn chars(self) -> Chars {
        Chars(self.char_indices())
    }

    /// The characters and the bytes they begin at.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("née").char_indices().collect::<Vec<_>>(), [(0, 'n'), (1, 'é'), (3, 'e')]);
    /// ```
    pub fn char_indices(self) -> CharIndices {
        CharIndices { from: 0, to: self.len(), text: self }
    }

    /// The bytes.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("né").bytes().collect::<Vec<_>>(), [b'n', 0xc3, 0xa9]);
    /// ```
    pub fn bytes(self) -> Bytes {
        Bytes { from: 0, to: self.len(), text: self }
    }
}

/// The iterator of [`Text::char_indices`].
#[derive(Clone)]
pub struct CharIndices {
    text: Text,
    from: usize,
    to: usize,
}

impl Iterator for CharIndices {
    type Item = (usize, char);

    #[inline]
    fn next(&mut self) -> Option<(usize, char)> {
        let at = self.from;
        let character = self.text[at..self.to].chars().next()?;
        self.from += character.len_utf8();
        Some((at, character))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let bytes = self.to - self.from;
        (bytes.div_ceil(4), Some(bytes))
    }
}

impl DoubleEndedIterator for CharIndices {
    #[inline]
    fn next_back(&mut self) -> Option<(usize, char)> {
        let character = self.text[self.from..self.to].chars().next_back()?;
        self.to -= character.len_utf8();
        Some((self.to, character))
    }
}

impl FusedIterator for CharIndices {}

/// The iterator of [`Text::chars`].
#[derive(Clone)]
pub struct Chars(CharIndices);

impl Iterator for Chars {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        self.0.next().map(|(_, character)| character)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Chars {
    #[inline]
    fn next_back(&mut self) -> Option<char> {
        self.0.next_back().map(|(_, character)| character)
    }
}

impl FusedIterator for Chars {}

/// The iterator of [`Text::bytes`].
#[derive(Clone)]
pub struct Bytes {
    text: Text,
    from: usize,
    to: usize,
}

impl Iterator for Bytes {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes()[self.from..self.to].first()?;
        self.from += 1;
        Some(byte)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.to - self.from, Some(self.to - self.from))
    }
}

impl DoubleEndedIterator for Bytes {
    #[inline]
    fn next_back(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes()[self.from..self.to].last()?;
        self.to -= 1;
        Some(byte)
    }
}

impl ExactSizeIterator for Bytes {}

impl FusedIterator for Bytes {}
