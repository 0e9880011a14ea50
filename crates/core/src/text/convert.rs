//! The traits that make a `Text` usable where a string is: comparison, formatting, conversion.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use super::Text;

impl Deref for Text {
    type Target = str;

    #[inline(always)]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::EMPTY
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// Equality with the strings of std, in both directions.
macro_rules! equal_to {
    ($($string:ty),+) => {$(
        impl PartialEq<$string> for Text {
            fn eq(&self, other: &$string) -> bool {
                self.as_str() == &other[..]
            }
        }

        impl PartialEq<Text> for $string {
            fn eq(&self, other: &Text) -> bool {
                &self[..] == other.as_str()
            }
        }
    )+};
}

equal_to!(str, &str, String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

/// # Panics
/// If the string has 2 GiB or more, as the other conversions do.
impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::copy_of(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::copy_of(&text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Text {
        Text::copy_of(text)
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Text {
        Text::copy_of(&text)
    }
}

impl From<char> for Text {
    fn from(character: char) -> Text {
        Text::copy_of(character.encode_utf8(&mut [0; 4]))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        text.as_str().to_owned()
    }
}

impl FromStr for Text {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Text, Infallible> {
        Ok(Text::copy_of(text))
    }
}

impl FromIterator<char> for Text {
    fn from_iter<I: IntoIterator<Item = char>>(characters: I) -> Text {
        Text::copy_of(&String::from_iter(characters))
    }
}
