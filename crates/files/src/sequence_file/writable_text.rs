//! The writables with a length: texts and bytes.

use super::vint;
use super::writable::{Writable, take, take_vint, wrong};
use headwater_core::{Error, ErrorKind, Result, Text};

/// A `Text` of Hadoop's whose bytes need not be UTF-8: the class promises that they are and does not check.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct TextBytes(
    /// What stands behind the length.
    pub Vec<u8>,
);

const TEXT: &str = "org.apache.hadoop.io.Text";

fn write_text(bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    vint::write(i64::from(length_of(bytes, "Text")?), out);
    out.extend_from_slice(bytes);
    Ok(())
}

/// Java's lengths have 31 bits.
fn length_of(bytes: &[u8], class: &str) -> Result<i32> {
    let too_long =
        |_| Error::new(ErrorKind::Resources, format!("{class} holds less than 2 GiB, not {} bytes", bytes.len()));
    i32::try_from(bytes.len()).map_err(too_long)
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = take_vint(bytes, TEXT)?;
    let negative = |_| wrong(format!("Text has the length {length}"));
    take(bytes, usize::try_from(length).map_err(negative)?, TEXT)
}

fn take_str<'a>(bytes: &mut &'a [u8]) -> Result<&'a str> {
    let text = take_text(bytes)?;
    std::str::from_utf8(text).map_err(|error| wrong("Text is not UTF-8 (read it as TextBytes)").because(error))
}

impl Writable for String {
    const CLASS: &'static str = TEXT;
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        write_text(self.as_bytes(), out)
    }
    fn read(bytes: &mut &[u8]) -> Result<String> {
        take_str(bytes).map(str::to_owned)
    }
}

impl Writable for Text {
    const CLASS: &'static str = TEXT;
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        write_text(self.as_str().as_bytes(), out)
    }
    fn read(bytes: &mut &[u8]) -> Result<Text> {
        take_str(bytes).map(Text::from)
    }
}

impl Writable for TextBytes {
    const CLASS: &'static str = TEXT;
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        write_text(&self.0, out)
    }
    fn read(bytes: &mut &[u8]) -> Result<TextBytes> {
        take_text(bytes).map(|text| TextBytes(text.to_vec()))
    }
}

impl Writable for Vec<u8> {
    const CLASS: &'static str = "org.apache.hadoop.io.BytesWritable";
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        length_of(self, "BytesWritable")?.write(out)?;
        out.extend_from_slice(self);
        Ok(())
    }
    fn read(bytes: &mut &[u8]) -> Result<Vec<u8>> {
        let length = i32::read(bytes)?;
        let negative = |_| wrong(format!("BytesWritable has the length {length}"));
        take(bytes, usize::try_from(length).map_err(negative)?, Self::CLASS).map(<[u8]>::to_vec)
    }
}
