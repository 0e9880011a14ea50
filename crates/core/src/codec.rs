//! Values as bytes that outlive the program that wrote them: MessagePack with the names of fields and variants, so that
//! a struct with a field more, fewer or renamed still reads. What lives no longer than the process is in `wire`.

use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::any::{Any, type_name};
use std::io;

/// Appends the value to `out`. An error names the type, and what its `Serialize` says.
#[inline]
pub(crate) fn write<T: Serialize + 'static>(value: &T, out: &mut Vec<u8>) -> Result<()> {
    if write_plain(value, out) {
        return Ok(());
    }
    let written = value.serialize(&mut rmp_serde::Serializer::new(out).with_struct_map());
    written.map_err(|error| {
        Error::new(ErrorKind::Program, format!("a `{}` cannot be written as state", type_name::<T>())).because(error)
    })
}

/// Writes the plainest types, as the serializer does, at a fraction of its time; false for all others.
#[inline(always)]
fn write_plain<T: 'static>(value: &T, out: &mut Vec<u8>) -> bool {
    let value: &dyn Any = value;
    let unsigned =
        || value.downcast_ref::<u64>().copied().or_else(|| value.downcast_ref::<u32>().map(|n| u64::from(*n)));
    let signed = || value.downcast_ref::<i64>().copied().or_else(|| value.downcast_ref::<i32>().map(|n| i64::from(*n)));
    let natural = unsigned().or_else(|| signed().and_then(|n| u64::try_from(n).ok()));
    let Some(natural) = natural else { return false };
    if natural < 0x80 {
        out.push(natural as u8);
        return true;
    }
    // The shortest of 1, 2, 4 and 8 bytes, behind a marker that counts up with them. Eight are copied, as that is one store.
    let log = (64 - natural.leading_zeros()).div_ceil(8).next_power_of_two().trailing_zeros();
    let width = 1 << log;
    out.push(0xcc + log as u8);
    let end = out.len() + width;
    out.extend_from_slice(&(natural << (64 - 8 * width)).to_be_bytes());
    out.truncate(end);
    true
}

/// Whether both would be written as the same bytes, with `scratch` for them. Where that cannot be told, they are not.
pub(crate) fn are_same<T: Serialize + 'static>(a: &T, b: &T, scratch: &mut Vec<u8>) -> bool {
    if let Some(same) = are_same_plain(a, b) {
        return same;
    }
    scratch.clear();
    let mut rest = match write(a, scratch) {
        Ok(()) => Expected(scratch),
        Err(_) => return false,
    };
    let same = b.serialize(&mut rmp_serde::Serializer::new(&mut rest).with_struct_map());
    same.is_ok() && rest.0.is_empty()
}

/// The same for the plainest types, whose bytes need not be made.
#[inline]
fn are_same_plain<T: 'static>(a: &T, b: &T) -> Option<bool> {
    fn same<T: 'static, U: PartialEq + 'static>(a: &T, b: &T) -> Option<bool> {
        let (a, b) = ((a as &dyn Any).downcast_ref::<U>()?, (b as &dyn Any).downcast_ref::<U>()?);
        Some(a == b)
    }
    let long = same::<T, u64>(a, b).or_else(|| same::<T, i64>(a, b)).or_else(|| same::<T, usize>(a, b));
    long.or_else(|| same::<T, u32>(a, b)).or_else(|| same::<T, i32>(a, b)).or_else(|| same::<T, String>(a, b))
}

/// Takes the bytes that it expects, and fails at the first other one.
struct Expected<'a>(&'a [u8]);

impl io::Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

    fn reads<A: Serialize + 'static, B: DeserializeOwned + PartialEq + Debug>(old: A, new: B) {
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
    fn plain_values_are_written_as_the_serializer_writes_them() {
        fn check<T: Serialize + Copy + Debug + 'static>(value: T) {
            let (mut written, mut expected) = (vec![9], vec![9]);
            write(&value, &mut written).unwrap();
            value.serialize(&mut rmp_serde::Serializer::new(&mut expected)).unwrap();
            assert_eq!(written, expected, "{value:?}");
        }
        for shift in 0..64 {
            for near in [-1i64, 0, 1] {
                let number = (1i64 << shift).wrapping_add(near);
                check(number as u64);
                check(number);
                check(number.wrapping_neg());
                check(number as u32);
                check(number as i32);
                check(number as i16);
                check(number as usize);
            }
        }
        check(u64::MAX);
    }

    #[test]
    fn values_are_the_same_if_their_bytes_are() {
        fn are_same<T: Serialize + 'static>(a: &T, b: &T) -> bool {
            super::are_same(a, b, &mut vec![1])
        }
        let old = |count| Old { count, name: "a".into(), gone: None };
        assert!(are_same(&old(1), &old(1)) && !are_same(&old(1), &old(2)) && !are_same(&old(1), &old(1000)));
        assert!(are_same(&vec![1, 2], &vec![1, 2]));
        assert!(!are_same(&vec![1, 2], &vec![1]) && !are_same(&vec![1], &vec![1, 2]));
        assert!(are_same(&7u64, &7) && !are_same(&7u64, &8) && are_same(&"a".to_owned(), &"a".to_owned()));
        assert!(are_same(&f64::NAN, &f64::NAN) && !are_same(&0.0, &-0.0));
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
