//! Values as bytes that outlive the program that wrote them: MessagePack with the names of fields and variants, so that
//! a struct with a field more, fewer or renamed still reads. What lives no longer than the process is in `wire`.

use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::any::type_name;

/// Appends the value to `out`. An error names the type, and what its `Serialize` says.
pub(crate) fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<()> {
    let written = value.serialize(&mut rmp_serde::Serializer::new(out).with_struct_map());
    written.map_err(|error| {
        Error::new(ErrorKind::Program, format!("a `{}` cannot be written as state", type_name::<T>())).because(error)
    })
}

/// The value at the beginning of `bytes`, which go on behind it. An error names the type, and what is wrong with the
/// bytes in its eyes.
pub(crate) fn read<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T> {
    T::deserialize(&mut rmp_serde::Deserializer::new(bytes)).map_err(|error| {
        Error::new(ErrorKind::Program, format!("what is stored is no `{}`", type_name::<T>())).because(error)
    })
}

/// The bytes of the value at the beginning of `bytes`, whatever it is; they go on behind it.
pub(crate) fn skip<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let all = *bytes;
    read::<IgnoredAny>(bytes)?;
    Ok(&all[..all.len() - bytes.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::fmt::Debug;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Old {
        count: u32,
        name: String,
        gone: Option<Vec<u8>>,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct New {
        count: u64,
        #[serde(alias = "name")]
        title: String,
        #[serde(default)]
        added: Vec<char>,
    }

    fn reads<A: Serialize, B: DeserializeOwned + PartialEq + Debug>(old: A, new: B) {
        let mut bytes = Vec::new();
        write(&old, &mut bytes).unwrap();
        bytes.push(7);
        let mut rest = &bytes[..];
        assert_eq!(read::<B>(&mut rest).unwrap(), new);
        assert_eq!(rest, [7], "the next value follows");
    }

    #[test]
    fn types_may_grow() {
        let old = Old { count: 3, name: "a".into(), gone: Some(vec![1]) };
        reads(old, New { count: 3, title: "a".into(), added: vec![] });
        reads(200u8, 200u64);
        reads(-5i8, -5i64);
        reads(1.5f32, 1.5f64);
        reads(3u32, 3.0f64);
        reads((7u16, "x"), (7u64, "x".to_owned()));
        reads(u128::MAX, u128::MAX);
        reads(Some('c'), Some('c'));
        reads([None, Some(1u8)], vec![None, Some(1i32)]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut bytes = Vec::new();
        write(&("text", 1), &mut bytes).unwrap();
        let error = read::<(u64, u64)>(&mut &bytes[..]).unwrap_err().to_string();
        assert!(error.contains("no `(u64, u64)`") && error.contains("FixStr"), "{error}");
        assert!(read::<New>(&mut &[][..]).is_err());
    }
}
