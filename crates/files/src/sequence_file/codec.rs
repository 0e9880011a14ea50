//! [`Compression`] and [`Codec`]: what of a file is compressed, and how.

use headwater_core::{Error, ErrorKind, Result};

/// What is compressed (`SequenceFile.CompressionType`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Compression {
    /// Nothing (`NONE`). The default, as with Spark's `saveAsSequenceFile`.
    #[default]
    None,
    /// Each value by itself (`RECORD`): worth it for long values only.
    Record(Codec),
    /// Many keys together, and many values together (`BLOCK`): the smallest files.
    Block(Codec),
}

impl Compression {
    /// The codec, if there is one.
    pub fn codec(self) -> Option<Codec> {
        match self {
            Compression::None => None,
            Compression::Record(codec) | Compression::Block(codec) => Some(codec),
        }
    }
}

/// A compression codec of Hadoop's (`org.apache.hadoop.io.compress`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Codec {
    /// `DefaultCodec`: the zlib format.
    #[default]
    Default,
    /// `GzipCodec`: the same with gzip's frame, which is 12 bytes longer. A Hadoop without its native library reads it
    /// and refuses to write it.
    Gzip,
}

const PACKAGE: &str = "org.apache.hadoop.io.compress.";

impl Codec {
    /// The name that stands in the header of a file.
    pub fn class(self) -> &'static str {
        match self {
            Codec::Default => "org.apache.hadoop.io.compress.DefaultCodec",
            Codec::Gzip => "org.apache.hadoop.io.compress.GzipCodec",
        }
    }
    /// The codec that a header names; `DeflateCodec` is another name of `DefaultCodec`.
    pub(super) fn of_class(class: &str) -> Result<Codec> {
        match class.strip_prefix(PACKAGE) {
            Some("DefaultCodec" | "DeflateCodec") => Ok(Codec::Default),
            Some("GzipCodec") => Ok(Codec::Gzip),
            _ => Err(Error::new(
                ErrorKind::Data,
                format!(
                    "the codec is {class:?}; DefaultCodec and GzipCodec of {} are read: have it written with one of them",
                    PACKAGE.trim_end_matches('.')
                ),
            )),
        }
    }
}
