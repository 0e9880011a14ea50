//! [`Datum`]: a value on its way from the task to the database, and its form as bytes: a tag, then as little as the value
//! needs. These bytes do not outlive the batch; the version in front of a partition is for processes of different builds.

use std::fmt;

/// The first byte of a prepared partition.
pub(crate) const VERSION: u8 = 1;

/// A value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Datum<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    F32(f32),
    F64(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const SINGLE: u8 = 4;
const DOUBLE: u8 = 5;
const TEXT: u8 = 6;
const BYTES: u8 = 7;

pub(crate) fn write(bytes: &mut Vec<u8>, datum: Datum<'_>) {
    match datum {
        Datum::Null => bytes.push(NULL),
        Datum::Bool(false) => bytes.push(FALSE),
        Datum::Bool(true) => bytes.push(TRUE),
        Datum::Integer(integer) => {
            bytes.push(INTEGER);
            // Small numbers of either sign become small ones without a sign.
            write_number(bytes, ((integer << 1) ^ (integer >> 63)) as u64);
        }
        Datum::F32(number) => {
            bytes.push(SINGLE);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Datum::F64(number) => {
            bytes.push(DOUBLE);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Datum::Text(text) => write_block(bytes, TEXT, text.as_bytes()),
        Datum::Bytes(block) => write_block(bytes, BYTES, block),
    }
}
fn write_block(bytes: &mut Vec<u8>, tag: u8, block: &[u8]) {
    bytes.push(tag);
    write_number(bytes, block.len() as u64);
    bytes.extend_from_slice(block);
}
/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes the next value off the front; none where the bytes are not what [`write`] makes.
pub(crate) fn read<'a>(bytes: &mut &'a [u8]) -> Option<Datum<'a>> {
    Some(match take(bytes, 1)?[0] {
        NULL => Datum::Null,
        FALSE => Datum::Bool(false),
        TRUE => Datum::Bool(true),
        INTEGER => {
            let number = read_number(bytes)?;
            Datum::Integer((number >> 1) as i64 ^ -((number & 1) as i64))
        }
        SINGLE => Datum::F32(f32::from_le_bytes(take(bytes, 4)?.try_into().ok()?)),
        DOUBLE => Datum::F64(f64::from_le_bytes(take(bytes, 8)?.try_into().ok()?)),
        TEXT => Datum::Text(std::str::from_utf8(read_block(bytes)?).ok()?),
        BYTES => Datum::Bytes(read_block(bytes)?),
        _ => return None,
    })
}
fn read_block<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = read_number(bytes)?;
    take(bytes, usize::try_from(length).ok()?)
}
fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// As an error shows it.
impl fmt::Display for Datum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Datum::Null => f.write_str("NULL"),
            Datum::Bool(value) => write!(f, "{value}"),
            Datum::Integer(value) => write!(f, "{value}"),
            Datum::F32(value) => write!(f, "{value:?}"),
            Datum::F64(value) => write!(f, "{value:?}"),
            Datum::Text(value) => write!(f, "{value:?}"),
            Datum::Bytes(value) => write!(f, "{} bytes", value.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_written() {
        let values = [
            Datum::Null,
            Datum::Bool(true),
            Datum::Bool(false),
            Datum::Integer(0),
            Datum::Integer(-1),
            Datum::Integer(i64::MIN),
            Datum::Integer(i64::MAX),
            Datum::F32(-1.5),
            Datum::F64(f64::INFINITY),
            Datum::Text(""),
            Datum::Text("größer\0"),
            Datum::Bytes(&[0xff; 300]),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|value| write(&mut bytes, *value));
        let mut rest = bytes.as_slice();
        values.iter().for_each(|value| assert_eq!(read(&mut rest), Some(*value)));
        assert_eq!(rest, [0u8; 0]);
    }

    #[test]
    fn small_integers_are_two_bytes() {
        for integer in [0, 63, -64] {
            let mut bytes = Vec::new();
            write(&mut bytes, Datum::Integer(integer));
            assert_eq!(bytes.len(), 2, "{integer}");
        }
    }

    #[test]
    fn bytes_that_are_cut_or_unknown_are_nothing() {
        let mut bytes = Vec::new();
        write(&mut bytes, Datum::Text("hello"));
        for length in 0..bytes.len() {
            assert_eq!(read(&mut &bytes[..length]), None, "{length}");
        }
        assert_eq!(read(&mut &[99u8][..]), None);
        assert_eq!(read(&mut &[TEXT, 1, 0xff][..]), None, "no UTF-8");
    }
}
