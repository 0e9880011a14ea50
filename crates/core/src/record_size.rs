//! How much memory records take: their own size, which is known, and an estimate of what they own on the heap.

use serde::ser::{self, Serialize, Serializer};
use std::fmt;
use std::mem::needs_drop;

/// Records of a chunk that are looked at.
const SAMPLE: usize = 16;

/// The bytes that `records` take in a vector, with what they own. Exact for records that own nothing. For others a
/// sample says what lies behind their strings, lists and maps: `Serialize` walks a record as its fields are, so a
/// string counts with its length, a list with its elements at their size in memory, a map with as many free slots as
/// it has entries, each with what an allocator adds. Shared data (`Arc`, a block of text) counts with each owner, spare
/// capacity and fields that are not serialised do not count.
pub(crate) fn bytes_of<T: Serialize>(records: &[T]) -> usize {
    let own = size_of_val(records);
    if !needs_drop::<T>() {
        return own;
    }
    let step = records.len().div_ceil(SAMPLE).max(1);
    let (mut sampled, mut more) = (0, 0);
    for record in records.iter().step_by(step) {
        more += heap_bytes_of(record);
        sampled += 1;
    }
    own + (more as u128 * records.len() as u128 / sampled.max(1)) as usize
}

/// The bytes that one record owns outside of itself, estimated as [`bytes_of`] does.
pub(crate) fn heap_bytes_of<T: Serialize>(record: &T) -> usize {
    // A record that cannot be serialised will say so where it must be.
    let size = record.serialize(Sizer).unwrap_or_default();
    size.heap + size.inline.saturating_sub(size_of::<T>())
}

/// What a value takes where it lies, and behind its pointers.
#[derive(Clone, Copy, Default)]
struct Size {
    inline: usize,
    heap: usize,
}

/// What an allocator takes for `bytes`.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

/// A pointer, a length and a capacity.
const LIST: usize = 24;
const MAP: usize = 48;

struct Sizer;

/// Gathers the parts of a value that has parts.
struct Parts {
    sum: Size,
    of: Of,
}
enum Of {
    /// They lie side by side in the value.
    Fields,
    /// They lie behind a pointer.
    List,
    Map,
}

impl Sizer {
    fn inline(inline: usize) -> Result<Size, fmt::Error> {
        Ok(Size { inline, heap: 0 })
    }
    fn behind_pointer(bytes: usize) -> Result<Size, fmt::Error> {
        Ok(Size { inline: LIST, heap: allocated(bytes) })
    }
    fn parts(of: Of, inline: usize) -> Result<Parts, fmt::Error> {
        Ok(Parts { sum: Size { inline, heap: 0 }, of })
    }
}
impl Parts {
    fn add<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), fmt::Error> {
        let size = part.serialize(Sizer)?;
        self.sum.inline += size.inline;
        self.sum.heap += size.heap;
        Ok(())
    }
    fn size(self) -> Result<Size, fmt::Error> {
        let Size { inline, heap } = self.sum;
        Ok(match self.of {
            Of::Fields => self.sum,
            Of::List => Size { inline: LIST, heap: heap + allocated(inline) },
            Of::Map => Size { inline: MAP, heap: heap + allocated(2 * inline) },
        })
    }
}

macro_rules! plain {
    ($($method:ident($type:ty))*) => {$(
        fn $method(self, _: $type) -> Result<Size, fmt::Error> {
            Sizer::inline(size_of::<$type>())
        }
    )*};
}
impl Serializer for Sizer {
    type Ok = Size;
    type Error = fmt::Error;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    plain! {
        serialize_bool(bool) serialize_char(char) serialize_f32(f32) serialize_f64(f64)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }
    fn is_human_readable(&self) -> bool {
        false
    }
    fn serialize_str(self, text: &str) -> Result<Size, fmt::Error> {
        Sizer::behind_pointer(text.len())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Result<Size, fmt::Error> {
        Sizer::behind_pointer(bytes.len())
    }
    fn serialize_none(self) -> Result<Size, fmt::Error> {
        Sizer::inline(8)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Size, fmt::Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Size, fmt::Error> {
        Sizer::inline(0)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Size, fmt::Error> {
        Sizer::inline(0)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Size, fmt::Error> {
        Sizer::inline(8)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Size, fmt::Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Size, fmt::Error> {
        let Size { inline, heap } = value.serialize(self)?;
        Ok(Size { inline: inline + 8, heap })
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::List, 0)
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::Fields, 0)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::Fields, 0)
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::Fields, 8)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::Map, 0)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::Fields, 0)
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Parts, fmt::Error> {
        Sizer::parts(Of::Fields, 8)
    }
}

/// The traits of values with parts differ in the name of one method, and in whether a field has a name.
macro_rules! with_parts {
    ($($trait:ident { $method:ident($($name:ty)?) })*) => {$(
        impl ser::$trait for Parts {
            type Ok = Size;
            type Error = fmt::Error;
            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? part: &T) -> Result<(), fmt::Error> {
                self.add(part)
            }
            fn end(self) -> Result<Size, fmt::Error> {
                self.size()
            }
        }
    )*};
}
with_parts! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeStruct { serialize_field(&'static str) }
    SerializeStructVariant { serialize_field(&'static str) }
}
impl ser::SerializeMap for Parts {
    type Ok = Size;
    type Error = fmt::Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), fmt::Error> {
        self.add(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        self.add(value)
    }
    fn end(self) -> Result<Size, fmt::Error> {
        self.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, HashMap};

    #[test]
    fn records_that_own_nothing_are_exact() {
        assert_eq!(bytes_of(&[(1u64, 2u8); 1000]), 16_000);
        assert_eq!(bytes_of::<u64>(&[]), 0);
        assert_eq!(bytes_of(&[(); 10]), 0);
    }

    /// What the allocator is asked for, and at most twice that.
    #[track_caller]
    fn about<T: Serialize>(records: &[T], requested: usize) {
        let estimate = bytes_of(records);
        assert!((requested..=2 * requested).contains(&estimate), "{estimate} is not about {requested}");
    }

    #[test]
    fn what_records_own_is_about_right() {
        let strings: Vec<String> = (0..1000).map(|n| "x".repeat(50 + n % 50)).collect();
        about(&strings, strings.iter().map(|s| 24 + s.len()).sum());
        let lists: Vec<(u64, Vec<u64>)> = (0..100).map(|n| (n, vec![n; 20])).collect();
        about(&lists, 100 * (32 + 160));
        let nested = vec![vec![vec!["abcdefghijklmnopqrstuvwxyz".to_owned(); 10]; 10]; 10];
        about(&nested, 10 * 24 + 100 * 24 + 1000 * (24 + 26));
        about(&[Some(Box::new([1u64; 32]))], 256);
        let map: HashMap<u64, u64> = (0..1000).map(|n| (n, n)).collect();
        about(std::slice::from_ref(&map), map.capacity() * 17);
        let tree: BTreeMap<u64, String> = (0..1000).map(|n| (n, "x".repeat(40))).collect();
        about(&[tree], 1000 * (32 + 40));
    }
}
