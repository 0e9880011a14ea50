//! [`Json`]: a stored value as JSON, whatever type it has in the program. The bytes say what they are: MessagePack.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use std::fmt;

/// A value; `export-state --help` says what becomes of what JSON does not have.
#[derive(Debug, PartialEq)]
pub(crate) struct Json(pub(crate) Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Json)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f32<E: Error>(self, value: f32) -> Result<Value, E> {
        // The digits of 0.1, not those of the double that is nearest to it.
        self.visit_f64(value.to_string().parse().unwrap_or(f64::from(value)))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(match value {
            f64::INFINITY => "Infinity".into(),
            f64::NEG_INFINITY => "-Infinity".into(),
            value if value.is_nan() => "NaN".into(),
            value => value.into(),
        })
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(json!({"$bytes": value.iter().map(|byte| format!("{byte:02x}")).collect::<String>()}))
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
    /// An extension of MessagePack: its number and its bytes.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Json::deserialize(deserializer).map(|Json(value)| json!({"$extension": value}))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Json(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Json(key), Json(value))) = entries.next_entry()? {
            pairs.push((key, value));
        }
        let is_object =
            pairs.iter().all(|(key, _)| key.is_string()) || pairs.iter().all(|(key, _)| key.is_i64() || key.is_u64());
        if !is_object {
            return Ok(pairs.into_iter().map(|(key, value)| Value::Array(vec![key, value])).collect());
        }
        let name = |key| if let Value::String(text) = key { text } else { key.to_string() };
        Ok(Value::Object(pairs.into_iter().map(|(key, value)| (name(key), value)).collect::<Map<_, _>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater::state::{StateItem, StateItems};

    /// The value that MessagePack of these bytes is, which must be all of it.
    fn read(bytes: &[u8]) -> String {
        let piece = [&[1, 0, 0, 0, 0, /* removed */ 0][..], bytes].concat();
        let mut items = StateItems::new(&piece).unwrap();
        let Ok(Some(StateItem::Removed(Json(value)))) = items.next_item::<Json, Json>() else { panic!("{bytes:?}") };
        assert_eq!(items.next_item::<Json, Json>().unwrap(), None);
        assert!(StateItems::new(&piece).unwrap().next_encoded().unwrap() == Some(StateItem::Removed(bytes)));
        value.to_string()
    }

    #[test]
    fn everything_has_a_form() {
        let cases: [(&[u8], &str); 15] = [
            (&[0xc0], "null"),
            (&[0xc3], "true"),
            (&[0xff], "-1"),
            (&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255], "18446744073709551615"),
            (&[0xca, 0x3d, 0xcc, 0xcc, 0xcd], "0.1"),
            (&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], r#""Infinity""#),
            (&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], r#""NaN""#),
            (&[0xa2, b'"', b'b'], r#""\"b""#),
            (&[0xc4, 2, 1, 255], r#"{"$bytes":"01ff"}"#),
            (&[0x92, 1, 0x91, 2], "[1,[2]]"),
            (&[0x82, 0xa1, b'b', 1, 0xa1, b'a', 2], r#"{"b":1,"a":2}"#),
            (&[0x82, 7, 1, 0xff, 2], r#"{"7":1,"-1":2}"#),
            (&[0x82, 7, 1, 0xa1, b'7', 2], r#"[[7,1],["7",2]]"#),
            (&[0x81, 0x92, 1, 2, 3], "[[[1,2],3]]"),
            (&[0xd4, 5, 9], r#"{"$extension":[5,{"$bytes":"09"}]}"#),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(bytes), expected);
        }
        assert_eq!(read(&[0x80]), "{}");
    }
}
