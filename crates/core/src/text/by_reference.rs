//! The methods of [`Text`] that take it by value, for a `&Text`: in a `filter`, or where the text is used again.

use super::*;

/// `line.split(' ')` takes the line, so that its words can leave a closure. Where only a reference is at hand this
/// trait, which the prelude brings in, counts one more reference to the line and splits that.
///
/// ```
/// use headwater_core::text::{Text, TextByReference as _};
/// let lines = [Text::from("to be or not"), Text::from("to be")];
/// let long: Vec<&Text> = lines.iter().filter(|line| line.split(' ').count() > 3).collect();
/// assert_eq!(long, [&lines[0]]);
/// ```
pub trait TextByReference: Sized {
    /// [`Text::split`]
    fn split<S: Separator>(self, separator: S) -> Split<S>;
    /// [`Text::rsplit`]
    fn rsplit<S: Separator>(self, separator: S) -> RSplit<S>;
    /// [`Text::splitn`]
    fn splitn<S: Separator>(self, limit: usize, separator: S) -> SplitN<S>;
    /// [`Text::split_terminator`]
    fn split_terminator<S: Separator>(self, separator: S) -> SplitTerminator<S>;
    /// [`Text::split_whitespace`]
    fn split_whitespace(self) -> SplitWhitespace;
    /// [`Text::split_ascii_whitespace`]
    fn split_ascii_whitespace(self) -> SplitAsciiWhitespace;
    /// [`Text::lines`]
    fn lines(self) -> Lines;
    /// [`Text::chars`]
    fn chars(self) -> Chars;
    /// [`Text::char_indices`]
    fn char_indices(self) -> CharIndices;
    /// [`Text::bytes`]
    fn bytes(self) -> Bytes;
}

/// Each method on a copy of the handle.
macro_rules! on_a_copy {
    ($($method:ident($($argument:ident: $type:ty),*) -> $result:ty $(where $s:ident: $bound:ident)?;)+) => {
        impl TextByReference for &Text {$(
            fn $method$(<$s: $bound>)?(self, $($argument: $type),*) -> $result {
                Text::$method(self.clone(), $($argument),*)
            }
        )+}
    };
}
on_a_copy! {
    split(separator: S) -> Split<S> where S: Separator;
    rsplit(separator: S) -> RSplit<S> where S: Separator;
    splitn(limit: usize, separator: S) -> SplitN<S> where S: Separator;
    split_terminator(separator: S) -> SplitTerminator<S> where S: Separator;
    split_whitespace() -> SplitWhitespace;
    split_ascii_whitespace() -> SplitAsciiWhitespace;
    lines() -> Lines;
    chars() -> Chars;
    char_indices() -> CharIndices;
    bytes() -> Bytes;
}
