//! What a text can be split at: the counterpart of the patterns of `str`, which are not open to other types.

use super::{SplitBy, SplitChar, SplitStr, Text};

/// Something to look for in a [`Text`]: a `char`, a string, a set of characters (`[char; N]`, `&[char]`) or a closure
/// `FnMut(char) -> bool`, with the meaning they have in the methods of `str`.
///
/// A type may implement it too. A place it returns that lies outside of the text or inside a character makes the
/// text's methods panic.
pub trait Separator {
    /// The iterator of [`Text::split`].
    type Split: Iterator<Item = Text>;

    /// Splits `text` at every match.
    fn split_text(self, text: Text) -> Self::Split;

    /// Start and end of the first match.
    fn first_match(&mut self, text: &str) -> Option<(usize, usize)>;

    /// Whether there is a match in `text`.
    fn is_in(&mut self, text: &Text) -> bool {
        self.first_match(text).is_some()
    }

    /// Start and end of the last match.
    fn last_match(&mut self, text: &str) -> Option<(usize, usize)>;

    /// The length of the match that `text` begins with.
    fn prefix_len(&mut self, text: &str) -> Option<usize>;

    /// The length of the match that `text` ends with.
    fn suffix_len(&mut self, text: &str) -> Option<usize>;
}

/// The searches of a set of characters, given as a pattern of `str`.
macro_rules! search_characters {
    ($self:ident, $pattern:expr) => {
        fn first_match(&mut $self, text: &str) -> Option<(usize, usize)> {
            let start = text.find($pattern)?;
            Some((start, start + text[start..].chars().next()?.len_utf8()))
        }

        fn last_match(&mut $self, text: &str) -> Option<(usize, usize)> {
            let start = text.rfind($pattern)?;
            Some((start, start + text[start..].chars().next()?.len_utf8()))
        }

        fn prefix_len(&mut $self, text: &str) -> Option<usize> {
            Some(text.len() - text.strip_prefix($pattern)?.len())
        }

        fn suffix_len(&mut $self, text: &str) -> Option<usize> {
            Some(text.len() - text.strip_suffix($pattern)?.len())
        }
    };
}

impl Separator for char {
    type Split = SplitChar;

    #[inline(always)]
    fn split_text(self, text: Text) -> SplitChar {
        SplitChar::new(text, self)
    }

    search_characters!(self, *self);
}

impl<const N: usize> Separator for [char; N] {
    type Split = SplitBy<Self>;

    fn split_text(self, text: Text) -> SplitBy<Self> {
        SplitBy::new(text, self)
    }

    search_characters!(self, &*self);
}

impl Separator for &[char] {
    type Split = SplitBy<Self>;

    fn split_text(self, text: Text) -> SplitBy<Self> {
        SplitBy::new(text, self)
    }

    search_characters!(self, *self);
}

impl<const N: usize> Separator for &[char; N] {
    type Split = SplitBy<Self>;

    fn split_text(self, text: Text) -> SplitBy<Self> {
        SplitBy::new(text, self)
    }

    search_characters!(self, self.as_slice());
}

impl<F: FnMut(char) -> bool> Separator for F {
    type Split = SplitBy<Self>;

    fn split_text(self, text: Text) -> SplitBy<Self> {
        SplitBy::new(text, self)
    }

    search_characters!(self, &mut *self);
}

/// Strings of any owner.
macro_rules! string_separator {
    ($($string:ty),+) => {$(
        impl Separator for $string {
            type Split = SplitStr<Self>;

            fn split_text(self, text: Text) -> SplitStr<Self> {
                let mut characters = self[..].chars();
                let only = characters.next().filter(|_| characters.next().is_none());
                match only {
                    Some(character) => SplitStr::at_char(text, character),
                    None => SplitStr::at(text, self),
                }
            }

            fn first_match(&mut self, text: &str) -> Option<(usize, usize)> {
                let start = text.find(&self[..])?;
                Some((start, start + self.len()))
            }

            #[inline]
            fn is_in(&mut self, text: &Text) -> bool {
                text.contains_str(&self[..])
            }

            fn last_match(&mut self, text: &str) -> Option<(usize, usize)> {
                let start = text.rfind(&self[..])?;
                Some((start, start + self.len()))
            }

            fn prefix_len(&mut self, text: &str) -> Option<usize> {
                text.starts_with(&self[..]).then_some(self.len())
            }

            fn suffix_len(&mut self, text: &str) -> Option<usize> {
                text.ends_with(&self[..]).then_some(self.len())
            }
        }
    )+};
}

string_separator!(&str, &&str, String, &String, Text, &Text);
