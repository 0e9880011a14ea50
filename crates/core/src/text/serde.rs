//! A `Text` is written and read as a string.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::Text;

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::from(text))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer, StringDeserializer};

    use super::*;

    #[test]
    fn a_text_reads_from_borrowed_and_owned_strings() {
        let borrowed: StrDeserializer<'_, Error> = "a borrowed string".into_deserializer();
        assert_eq!(Text::deserialize(borrowed).unwrap(), "a borrowed string");
        let owned: StringDeserializer<Error> = String::from("owned").into_deserializer();
        assert_eq!(Text::deserialize(owned).unwrap(), "owned");
    }

    #[test]
    fn a_text_writes_itself_as_a_string() {
        // A formatter is a serializer that takes strings.
        struct Written(Text);
        impl fmt::Display for Written {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.serialize(f)
            }
        }
        assert_eq!(Written(Text::from("as it is")).to_string(), "as it is");
    }
}
