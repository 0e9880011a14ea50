//! [`Header`]: what a file says of itself before its first record.

use super::source::Source;
use super::vint;
use super::{Codec, Compression, SyncMarker};
use headwater_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::io::Read;

const MAGIC: &[u8; 3] = b"SEQ";
/// The version of Hadoop 0.18 (2008) and all later ones.
const VERSION: u8 = 6;
/// The longest name of a class that is written or believed.
pub const NAME_BYTES_MAX: usize = 4 << 10;
/// The bytes of all metadata that are written or believed.
pub const METADATA_BYTES_MAX: usize = 16 << 20;

/// What a file says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The Java class of the keys, in full.
    pub key_class: String,
    /// The Java class of the values, in full.
    pub value_class: String,
    /// What is compressed, and how.
    pub compression: Compression,
    /// What its writer noted (`SequenceFile.Metadata`); in most files nothing.
    pub metadata: BTreeMap<String, String>,
    /// The marker of this file.
    pub sync: SyncMarker,
}

impl Header {
    /// Appends the header as it stands in a file. Fails where [`NAME_BYTES_MAX`] or [`METADATA_BYTES_MAX`] is passed.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        for (what, class) in [("key class", &self.key_class), ("value class", &self.value_class)] {
            limit(what, class.len(), NAME_BYTES_MAX)?;
            write_text(class, out);
        }
        out.push(u8::from(self.compression != Compression::None));
        out.push(u8::from(matches!(self.compression, Compression::Block(_))));
        if let Some(codec) = self.compression.codec() {
            write_text(codec.class(), out);
        }
        let metadata_bytes = self.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        limit("metadata", metadata_bytes, METADATA_BYTES_MAX)?;
        out.extend_from_slice(&(self.metadata.len() as u32).to_be_bytes());
        for (key, value) in &self.metadata {
            write_text(key, out);
            write_text(value, out);
        }
        out.extend_from_slice(&self.sync.to_bytes());
        Ok(())
    }

    pub(super) fn read<R: Read>(source: &mut Source<R>) -> Result<Header> {
        let start = source.position();
        let magic: [u8; 4] = source.array("the beginning of a SequenceFile")?;
        if magic[..3] != *MAGIC {
            return Err(source.damaged(start, "this is no SequenceFile, which begins with SEQ"));
        }
        if magic[3] != VERSION {
            let what = format!("the format has version {}; version {VERSION} is read, write it anew with it", magic[3]);
            return Err(source.damaged(start + 3, &what));
        }
        let key_class = text(source, "the key class", &mut { NAME_BYTES_MAX })?;
        let value_class = text(source, "the value class", &mut { NAME_BYTES_MAX })?;
        let compression = compression(source)?;
        let metadata = metadata(source)?;
        let sync = SyncMarker::from_bytes(source.array("the sync marker of the header")?);
        Ok(Header { key_class, value_class, compression, metadata, sync })
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    vint::write(text.len() as i64, out);
    out.extend_from_slice(text.as_bytes());
}

fn limit(what: &str, bytes: usize, bytes_max: usize) -> Result<()> {
    let message = || format!("the {what} of a SequenceFile takes {bytes} bytes, {bytes_max} at most");
    if bytes <= bytes_max { Ok(()) } else { Err(Error::new(ErrorKind::Resources, message())) }
}

fn compression<R: Read>(source: &mut Source<R>) -> Result<Compression> {
    let start = source.position();
    let is_compressed = flag(source, "whether values are compressed")?;
    let is_block = flag(source, "whether blocks are compressed")?;
    if !is_compressed {
        let absurd = || source.damaged(start, "the header says that blocks are compressed and values are not");
        return if is_block { Err(absurd()) } else { Ok(Compression::None) };
    }
    let position = source.position();
    let class = text(source, "the codec", &mut { NAME_BYTES_MAX })?;
    let codec = Codec::of_class(&class).map_err(|error| source.damaged(position, &error.to_string()))?;
    Ok(if is_block { Compression::Block(codec) } else { Compression::Record(codec) })
}

fn flag<R: Read>(source: &mut Source<R>, what: &str) -> Result<bool> {
    let position = source.position();
    match source.array(what)? {
        [0] => Ok(false),
        [1] => Ok(true),
        [other] => Err(source.damaged(position, &format!("{what} is {other}, neither 0 nor 1"))),
    }
}

fn metadata<R: Read>(source: &mut Source<R>) -> Result<BTreeMap<String, String>> {
    let start = source.position();
    let entries = source.int("the number of metadata")?;
    if entries < 0 {
        return Err(source.damaged(start, &format!("the number of metadata is {entries}, which is none")));
    }
    let (mut metadata, mut room) = (BTreeMap::new(), METADATA_BYTES_MAX);
    for _ in 0..entries {
        let key = text(source, "a key of the metadata", &mut room)?;
        let value = text(source, "a value of the metadata", &mut room)?;
        metadata.insert(key, value);
    }
    Ok(metadata)
}

/// A text with a length before it, which takes from the `room` that is left.
fn text<R: Read>(source: &mut Source<R>, what: &str, room: &mut usize) -> Result<String> {
    let start = source.position();
    let length = source.vint_length(what)?;
    *room = room.checked_sub(length).ok_or_else(|| {
        source.damaged(start, &format!("{what} takes {length} bytes, {room} at most: the header is damaged"))
    })?;
    let mut bytes = Vec::new();
    source.take(length, what, &mut bytes)?;
    String::from_utf8(bytes).map_err(|_| source.damaged(start, &format!("{what} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            key_class: "org.apache.hadoop.io.Text".to_string(),
            value_class: "com.example.Point".to_string(),
            compression: Compression::Block(Codec::Gzip),
            metadata: [("b", "2"), ("a", "é")].map(|(key, value)| (key.to_string(), value.to_string())).into(),
            sync: SyncMarker::from_bytes(*b"0123456789abcdef"),
        }
    }
    fn written(header: &Header) -> Vec<u8> {
        let mut out = Vec::new();
        header.write(&mut out).unwrap();
        out
    }
    fn read(bytes: &[u8]) -> Result<Header> {
        Header::read(&mut Source::new(bytes, "f", 0))
    }

    #[test]
    fn a_header_comes_back() {
        for compression in [Compression::None, Compression::Record(Codec::Default), Compression::Block(Codec::Gzip)] {
            let header = Header { compression, ..header() };
            assert_eq!(read(&written(&header)).unwrap(), header);
        }
    }

    #[test]
    fn every_cut_is_named() {
        let whole = written(&header());
        for cut in 0..whole.len() {
            let error = read(&whole[..cut]).unwrap_err().to_string();
            assert!(error.starts_with("f, byte ") && error.contains("cut off"), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let whole = written(&header());
        let message = |at: usize, byte: u8| {
            let mut changed = whole.clone();
            changed[at] = byte;
            read(&changed).unwrap_err().to_string()
        };
        assert_eq!(message(0, b'X'), "f, byte 0: this is no SequenceFile, which begins with SEQ");
        assert_eq!(message(3, 4), "f, byte 3: the format has version 4; version 6 is read, write it anew with it");
        assert_eq!(message(4, 0xff), "f, byte 4: the key class is -1, which is none");
        assert_eq!(message(5, 0xff), "f, byte 4: the key class is not UTF-8");
        assert_eq!(message(48, 2), "f, byte 48: whether values are compressed is 2, neither 0 nor 1");
        assert_eq!(message(48, 0), "f, byte 48: the header says that blocks are compressed and values are not");
        assert_eq!(
            message(81, b'S'),
            "f, byte 50: the codec is \"org.apache.hadoop.io.compress.SzipCodec\"; DefaultCodec and GzipCodec of \
             org.apache.hadoop.io.compress are read: have it written with one of them"
        );
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let long = Header { key_class: "x".repeat(NAME_BYTES_MAX + 1), ..header() };
        assert_eq!(
            long.write(&mut Vec::new()).unwrap_err().to_string(),
            "the key class of a SequenceFile takes 4097 bytes, 4096 at most"
        );
        let longest = Header { key_class: "x".repeat(NAME_BYTES_MAX), ..header() };
        assert_eq!(read(&written(&longest)).unwrap(), longest);
        let mut claims = b"SEQ\x06".to_vec();
        vint::write(5000, &mut claims);
        assert_eq!(
            read(&claims).unwrap_err().to_string(),
            "f, byte 4: the key class takes 5000 bytes, 4096 at most: the header is damaged"
        );
    }
}
