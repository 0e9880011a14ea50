//! The splits of a text that are not hot: at anything but one character, limited, or from the end.

use std::iter::FusedIterator;

use super::{Separator, SplitChar, Text};

/// The iterator of [`Text::split`] at separators of type `S`.
pub type Split<S> = <S as Separator>::Split;

/// The matches of a separator from left to right, which do not overlap.
pub(super) struct Matches<S> {
    separator: S,
    /// Where the next search begins; behind the text's end when there is nothing more to find.
    from: usize,
}

impl<S: Separator> Matches<S> {
    pub(super) fn new(separator: S) -> Matches<S> {
        Matches { separator, from: 0 }
    }

    pub(super) fn next(&mut self, text: &str) -> Option<(usize, usize)> {
        let rest = text.get(self.from..)?;
        let Some((start, end)) = self.separator.first_match(rest) else {
            self.from = text.len() + 1;
            return None;
        };
        let (start, end) = (self.from + start, self.from + end);
        // An empty match is not found again: the next one is behind the next character.
        let step = if start == end { text[end..].chars().next().map_or(1, char::len_utf8) } else { 0 };
        self.from = end + step;
        Some((start, end))
    }
}

impl Text {
    /// The parts between all matches of `separator`, as [`str::split`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from("GET /index.html HTTP/1.1");
    /// assert_eq!(line.clone().split(' ').collect::<Vec<_>>(), ["GET", "/index.html", "HTTP/1.1"]);
    /// assert_eq!(line.clone().split("HTTP/").collect::<Vec<_>>(), ["GET /index.html ", "1.1"]);
    /// assert_eq!(line.clone().split(['/', '.']).count(), 5);
    /// assert_eq!(line.split(|c: char| c.is_uppercase()).last(), Some(Text::from("/1.1")));
    /// ```
    #[inline(always)]
    pub fn split<S: Separator>(self, separator: S) -> Split<S> {
        separator.split_text(self)
    }

    /// The same parts from the last to the first, as [`str::rsplit`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("www.example.org").rsplit('.').collect::<Vec<_>>(), ["org", "example", "www"]);
    /// ```
    pub fn rsplit<S: Separator>(self, separator: S) -> RSplit<S> {
        RSplit { end: self.len(), search_end: Some(self.len()), finished: false, text: self, separator }
    }

    /// At most `limit` parts; the last one is the rest of the text, as [`str::splitn`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("key=a=b").splitn(2, '=').collect::<Vec<_>>(), ["key", "a=b"]);
    /// ```
    pub fn splitn<S: Separator>(self, limit: usize, separator: S) -> SplitN<S> {
        SplitN { parts: SplitBy::new(self, separator), left: limit }
    }

    /// The parts that end at a separator, and what is left unless it is empty, as [`str::split_terminator`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("a;b;").split_terminator(';').collect::<Vec<_>>(), ["a", "b"]);
    /// ```
    pub fn split_terminator<S: Separator>(self, separator: S) -> SplitTerminator<S> {
        let mut parts = SplitBy::new(self, separator);
        parts.allow_empty_rest = false;
        SplitTerminator { parts }
    }

    /// What is before and what is behind the first match.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let (key, value) = Text::from("color=red").split_once('=').unwrap();
    /// assert_eq!((key.as_str(), value.as_str()), ("color", "red"));
    /// assert_eq!(Text::from("color").split_once('='), None);
    /// ```
    pub fn split_once(&self, mut separator: impl Separator) -> Option<(Text, Text)> {
        let (start, end) = separator.first_match(self)?;
        Some((self.part(&self[..start]), self.part(&self[end..])))
    }

    /// Whether there is a match. A search for a string of up to 32 bytes prepares nothing, which makes it faster than
    /// that of `str` on texts as short as a line.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let line = Text::from("10:02 ERROR no space left on device");
    /// assert!(line.contains("ERROR") && line.contains(char::is_numeric) && !line.contains(';'));
    /// ```
    #[inline]
    pub fn contains(&self, mut separator: impl Separator) -> bool {
        separator.is_in(self)
    }

    /// What is before and what is behind the last match.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// let (path, file) = Text::from("/var/log/syslog").rsplit_once('/').unwrap();
    /// assert_eq!((path.as_str(), file.as_str()), ("/var/log", "syslog"));
    /// ```
    pub fn rsplit_once(&self, mut separator: impl Separator) -> Option<(Text, Text)> {
        let (start, end) = separator.last_match(self)?;
        Some((self.part(&self[..start]), self.part(&self[end..])))
    }

    /// The lines without their ends `\n` or `\r\n`, as [`str::lines`] gives them.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("one\r\n\ntwo").lines().collect::<Vec<_>>(), ["one", "", "two"]);
    /// ```
    pub fn lines(self) -> Lines {
        Lines { text: self, from: 0 }
    }
}

/// The iterator of [`Text::split`] at any separator, by searching for one match after the other.
pub struct SplitBy<S> {
    text: Text,
    matches: Matches<S>,
    /// Where the next part begins.
    start: usize,
    allow_empty_rest: bool,
    finished: bool,
}

impl<S: Separator> SplitBy<S> {
    /// Splits `text` by searching: for the [`Separator::split_text`] of a separator that has no faster way.
    pub fn new(text: Text, separator: S) -> SplitBy<S> {
        SplitBy { text, matches: Matches::new(separator), start: 0, allow_empty_rest: true, finished: false }
    }

    fn rest(&mut self) -> Option<Text> {
        self.finished = true;
        let rest = &self.text[self.start..];
        (self.allow_empty_rest || !rest.is_empty()).then(|| self.text.part(rest))
    }
}

impl<S: Separator> Iterator for SplitBy<S> {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        if self.finished {
            return None;
        }
        let Some((start, end)) = self.matches.next(&self.text) else { return self.rest() };
        let part = self.text.part(&self.text[self.start..start]);
        self.start = end;
        Some(part)
    }
}

impl<S: Separator> FusedIterator for SplitBy<S> {}

/// The iterator of [`Text::split`] at a string.
pub struct SplitStr<S>(Way<S>);

enum Way<S> {
    /// A string of one character splits as fast as the character.
    Char(SplitChar),
    Search(SplitBy<S>),
}

impl<S: Separator> SplitStr<S> {
    pub(super) fn at_char(text: Text, character: char) -> SplitStr<S> {
        SplitStr(Way::Char(SplitChar::new(text, character)))
    }

    pub(super) fn at(text: Text, separator: S) -> SplitStr<S> {
        SplitStr(Way::Search(SplitBy::new(text, separator)))
    }
}

impl<S: Separator> Iterator for SplitStr<S> {
    type Item = Text;

    #[inline]
    fn next(&mut self) -> Option<Text> {
        match &mut self.0 {
            Way::Char(split) => split.next(),
            Way::Search(split) => split.next(),
        }
    }
}

impl<S: Separator> FusedIterator for SplitStr<S> {}

/// The iterator of [`Text::rsplit`].
pub struct RSplit<S> {
    text: Text,
    separator: S,
    /// Where the next part ends.
    end: usize,
    /// Where the next search ends; `None` when there is nothing more to find.
    search_end: Option<usize>,
    finished: bool,
}

impl<S: Separator> Iterator for RSplit<S> {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        if self.finished {
            return None;
        }
        let found = self.search_end.and_then(|to| self.separator.last_match(&self.text[..to]));
        let Some((start, end)) = found else {
            self.finished = true;
            return Some(self.text.part(&self.text[..self.end]));
        };
        let part = self.text.part(&self.text[end..self.end]);
        self.end = start;
        // An empty match is not found again: the next one is before the character before it.
        let step = if start == end { self.text[..start].chars().next_back().map(char::len_utf8) } else { Some(0) };
        self.search_end = step.map(|step| start - step);
        Some(part)
    }
}

impl<S: Separator> FusedIterator for RSplit<S> {}

/// The iterator of [`Text::splitn`].
pub struct SplitN<S> {
    parts: SplitBy<S>,
    left: usize,
}

impl<S: Separator> Iterator for SplitN<S> {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        self.left = self.left.checked_sub(1)?;
        match self.left {
            0 if self.parts.finished => None,
            0 => self.parts.rest(),
            _ => self.parts.next(),
        }
    }
}

impl<S: Separator> FusedIterator for SplitN<S> {}

/// The iterator of [`Text::split_terminator`].
pub struct SplitTerminator<S> {
    parts: SplitBy<S>,
}

impl<S: Separator> Iterator for SplitTerminator<S> {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        self.parts.next()
    }
}

impl<S: Separator> FusedIterator for SplitTerminator<S> {}

/// The iterator of [`Text::lines`].
#[derive(Clone)]
pub struct Lines {
    text: Text,
    from: usize,
}

impl Iterator for Lines {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        let rest = &self.text[self.from..];
        if rest.is_empty() {
            return None;
        }
        let Some(at) = memchr::memchr(b'\n', rest.as_bytes()) else {
            self.from = self.text.len();
            return Some(self.text.part(rest));
        };
        self.from += at + 1;
        let line = &rest[..at];
        Some(self.text.part(line.strip_suffix('\r').unwrap_or(line)))
    }
}

impl FusedIterator for Lines {}
