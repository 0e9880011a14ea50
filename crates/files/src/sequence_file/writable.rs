//! [`Writable`]: a value as the bytes that a class of Hadoop's gives it.

use super::vint;
use headwater_core::{Error, ErrorKind, Result};

/// A value that a [`Reader`](super::Reader) reads and a [`Writer`](super::Writer) writes, in the form of a Java class
/// that implements `org.apache.hadoop.io.Writable`.
///
/// | Rust | class of `org.apache.hadoop.io` | bytes |
/// |---|---|---|
/// | `()` | `NullWritable` | none |
/// | `bool` | `BooleanWritable` | one, 0 or 1 |
/// | `i32`, `i64` | `IntWritable`, `LongWritable` | four, eight, the highest first |
/// | [`VInt`], [`VLong`] | `VIntWritable`, `VLongWritable` | one to five, one to nine |
/// | `f32`, `f64` | `FloatWritable`, `DoubleWritable` | four, eight: the bits, the highest first |
/// | `String`, [`Text`](headwater_core::Text) | `Text` | the length as a `VInt`, then UTF-8 |
/// | [`TextBytes`](super::TextBytes) | `Text` | the same, whatever the bytes are |
/// | `Vec<u8>` | `BytesWritable` | the length in four bytes, then the bytes |
///
/// A class of one's own is a type that writes its fields one after the other:
///
/// ```
/// use headwater_core::Result;
/// use headwater_files::sequence_file::Writable;
///
/// struct Point { x: i32, y: i32 }
///
/// impl Writable for Point {
///     const CLASS: &'static str = "com.example.Point";
///     fn write(&self, out: &mut Vec<u8>) -> Result<()> {
///         self.x.write(out)?;
///         self.y.write(out)
///     }
///     fn read(bytes: &mut &[u8]) -> Result<Point> {
///         Ok(Point { x: i32::read(bytes)?, y: i32::read(bytes)? })
///     }
/// }
///
/// let mut out = Vec::new();
/// Point { x: 1, y: -2 }.write(&mut out)?;
/// assert_eq!(out, [0, 0, 0, 1, 255, 255, 255, 254]);
/// let point = Point::read(&mut &out[..])?;
/// assert_eq!((point.x, point.y), (1, -2));
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub trait Writable: Sized {
    /// The full name of the Java class, as it stands in the header of a file.
    const CLASS: &'static str;
    /// Appends the value to `out`. An error says why the class cannot hold it; what was appended is then left out of
    /// the file.
    fn write(&self, out: &mut Vec<u8>) -> Result<()>;
    /// Takes a value off the front of `bytes`. An error says what is wrong with them; the reader adds where they are.
    fn read(bytes: &mut &[u8]) -> Result<Self>;
}

/// An `i32` in one to five bytes: `org.apache.hadoop.io.VIntWritable`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct VInt(
    /// The number.
    pub i32,
);

/// An `i64` in one to nine bytes: `org.apache.hadoop.io.VLongWritable`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct VLong(
    /// The number.
    pub i64,
);

/// The types that read a class, for messages.
pub(super) fn types_of(class: &str) -> Option<&'static str> {
    Some(match class.strip_prefix("org.apache.hadoop.io.")? {
        "NullWritable" => "()",
        "BooleanWritable" => "bool",
        "IntWritable" => "i32",
        "LongWritable" => "i64",
        "VIntWritable" => "VInt",
        "VLongWritable" => "VLong",
        "FloatWritable" => "f32",
        "DoubleWritable" => "f64",
        "Text" => "String, Text or TextBytes",
        "BytesWritable" => "Vec<u8>",
        _ => return None,
    })
}

pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Data, message)
}

/// Takes `length` bytes off the front of `bytes`.
pub(super) fn take<'a>(bytes: &mut &'a [u8], length: usize, class: &str) -> Result<&'a [u8]> {
    let have = bytes.len();
    let short = || wrong(format!("{} takes {length} bytes and {have} are left", short_name(class)));
    let (taken, rest) = bytes.split_at_checked(length).ok_or_else(short)?;
    *bytes = rest;
    Ok(taken)
}

/// Takes a variable-length number off the front of `bytes`.
pub(super) fn take_vint(bytes: &mut &[u8], class: &str) -> Result<i64> {
    let ended = || wrong(format!("{} ends inside of a number", short_name(class)));
    vint::take(bytes).ok_or_else(ended)
}

fn short_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

macro_rules! fixed {
    ($($number:ty => $class:literal),*) => {$(
        impl Writable for $number {
            const CLASS: &'static str = concat!("org.apache.hadoop.io.", $class);
            #[inline]
            fn write(&self, out: &mut Vec<u8>) -> Result<()> {
                out.extend_from_slice(&self.to_be_bytes());
                Ok(())
            }
            #[inline]
            fn read(bytes: &mut &[u8]) -> Result<$number> {
                let taken = take(bytes, size_of::<$number>(), Self::CLASS)?;
                Ok(<$number>::from_be_bytes(taken.try_into().expect("as many as were asked for")))
            }
        }
    )*};
}
fixed!(i32 => "IntWritable", i64 => "LongWritable", f32 => "FloatWritable", f64 => "DoubleWritable");

impl Writable for () {
    const CLASS: &'static str = "org.apache.hadoop.io.NullWritable";
    fn write(&self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
    fn read(_: &mut &[u8]) -> Result<()> {
        Ok(())
    }
}

impl Writable for bool {
    const CLASS: &'static str = "org.apache.hadoop.io.BooleanWritable";
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        out.push(u8::from(*self));
        Ok(())
    }
    fn read(bytes: &mut &[u8]) -> Result<bool> {
        match take(bytes, 1, Self::CLASS)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(wrong(format!("BooleanWritable is 0 or 1, not {other}"))),
        }
    }
}

impl Writable for VInt {
    const CLASS: &'static str = "org.apache.hadoop.io.VIntWritable";
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        vint::write(i64::from(self.0), out);
        Ok(())
    }
    fn read(bytes: &mut &[u8]) -> Result<VInt> {
        let number = take_vint(bytes, Self::CLASS)?;
        let too_large = |_| wrong(format!("VIntWritable has 32 bits, and {number} does not fit"));
        i32::try_from(number).map(VInt).map_err(too_large)
    }
}

impl Writable for VLong {
    const CLASS: &'static str = "org.apache.hadoop.io.VLongWritable";
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        vint::write(self.0, out);
        Ok(())
    }
    fn read(bytes: &mut &[u8]) -> Result<VLong> {
        take_vint(bytes, Self::CLASS).map(VLong)
    }
}

#[cfg(test)]
mod tests;
