//! Files of [`Segment`]s: what was written comes back, or an error says that it does not.
//!
//! ```text
//! file   = "HWRECS" version:u16 length:u32 name:[u8; length] checksum frame* end
//! frame  = length:u32 records:u32 payload:[u8; length] checksum
//! end    = 8:u32 0xffff_ffff:u32 all records:u64 checksum
//! ```
//! Numbers are little-endian; a checksum is the CRC-32C of what stands before it in its part. `name` is the type of
//! the records, for messages. Without the end the file was not written to its end.

use super::Segment;
use crate::{Error, ErrorKind, Result};
use std::any::type_name;
use std::io::{self, BufReader, Read, Write};

const MAGIC: &[u8; 6] = b"HWRECS";
const VERSION: u16 = 1;
/// In the place of a frame's records.
const END: u32 = u32::MAX;
/// The longest name that is written or believed.
const NAME_MAX: usize = 1 << 10;
/// What a frame has beside its records' bytes.
pub(crate) const FRAME_BYTES: u64 = 12;
/// The size of the end.
pub(crate) const END_BYTES: u64 = 20;
const READ_BYTES: usize = 128 << 10;

/// What files call the type of their records.
pub(crate) fn name_of<T>() -> &'static str {
    let name = type_name::<T>();
    &name[..name.floor_char_boundary(NAME_MAX)]
}

/// Writes such a file.
pub(crate) struct FrameWriter<W> {
    out: W,
    /// All bytes of the file so far.
    bytes: u64,
    frames: u64,
    records: u64,
    scratch: Vec<u8>,
}

impl<W: Write> FrameWriter<W> {
    /// Begins a file of records of the type called `name`; see [`name_of`].
    pub(crate) fn new(out: W, name: &str) -> io::Result<FrameWriter<W>> {
        let mut writer = FrameWriter { out, bytes: 0, frames: 0, records: 0, scratch: Vec::new() };
        let length = (name.len() as u32).to_le_bytes();
        writer.write_checked(&[MAGIC, &VERSION.to_le_bytes(), &length, name.as_bytes()])?;
        Ok(writer)
    }
    pub(crate) fn write(&mut self, segment: &Segment) -> io::Result<()> {
        let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a record has 4 GiB or more");
        let length = u32::try_from(segment.bytes.len()).map_err(too_long)?;
        self.write_checked(&[&length.to_le_bytes(), &segment.records.to_le_bytes(), &segment.bytes])?;
        self.frames += 1;
        self.records += u64::from(segment.records);
        Ok(())
    }
    /// Writes the end and flushes the file; behind it nothing may be written.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let records = self.records.to_le_bytes();
        self.write_checked(&[&8u32.to_le_bytes(), &END.to_le_bytes(), &records])?;
        self.out.flush()
    }
    /// What the file is written to.
    pub(crate) fn into_inner(self) -> W {
        self.out
    }
    /// The size of the file so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
    /// How many segments are written in full.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    fn write_checked(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.scratch.clear();
        parts.iter().for_each(|part| self.scratch.extend_from_slice(part));
        let checksum = crc32c::crc32c(&self.scratch);
        self.scratch.extend_from_slice(&checksum.to_le_bytes());
        self.out.write_all(&self.scratch)?;
        self.bytes += self.scratch.len() as u64;
        Ok(())
    }
}

/// Reads such a file.
pub(crate) struct FrameReader {
    input: BufReader<Box<dyn Read + Send>>,
    path: String,
    name: String,
    records: u64,
}

impl FrameReader {
    /// Reads the beginning of the file that errors call `path`.
    pub(crate) fn open(input: Box<dyn Read + Send>, path: &str) -> Result<FrameReader> {
        let input = BufReader::with_capacity(READ_BYTES, input);
        let mut reader = FrameReader { input, path: path.to_owned(), name: String::new(), records: 0 };
        let mut head = reader.take(12)?;
        if head[..6] != *MAGIC {
            return Err(reader.wrong("is no file of records written by Headwater"));
        }
        let version = u16::from_le_bytes([head[6], head[7]]);
        if version != VERSION {
            return Err(reader.wrong(&format!("has format {version}; this release reads format {VERSION}")));
        }
        let length = number(&head[8..]) as usize;
        if length > NAME_MAX {
            return Err(reader.wrong("is damaged behind record 0"));
        }
        head.extend(reader.take(length)?);
        reader.check(&head)?;
        reader.name = String::from_utf8_lossy(&head[12..]).into_owned();
        Ok(reader)
    }
    /// The type of the records, as the writer called it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
    /// The next segment; `None` at the end, where the records that came must be all there are.
    pub(crate) fn next(&mut self) -> Result<Option<Segment>> {
        let mut frame = self.take(8)?;
        let (length, records) = (number(&frame), number(&frame[4..]));
        frame.extend(self.take(length as usize)?);
        self.check(&frame)?;
        if records == END {
            let all = frame[8..].try_into().ok().map(u64::from_le_bytes);
            let last = self.input.read(&mut [0]).map_err(|error| self.unreadable(error))? == 0;
            return if all == Some(self.records) && last { Ok(None) } else { Err(self.wrong("is damaged at its end")) };
        }
        self.records += u64::from(records);
        Ok(Some(Segment { records, bytes: frame.split_off(8).into() }))
    }

    /// The next `length` bytes. A damaged length costs no more memory than the file has.
    fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length.min(READ_BYTES));
        let read = (&mut self.input).take(length as u64).read_to_end(&mut bytes);
        match read.map_err(|error| self.unreadable(error))? {
            read if read == length => Ok(bytes),
            _ => Err(self.wrong(&format!("ends early, behind record {}", self.records))),
        }
    }
    fn check(&mut self, bytes: &[u8]) -> Result<()> {
        let checksum = self.take(4)?;
        let right = number(&checksum) == crc32c::crc32c(bytes);
        if right { Ok(()) } else { Err(self.wrong(&format!("is damaged behind record {}", self.records))) }
    }
    fn wrong(&self, what: &str) -> Error {
        Error::new(ErrorKind::Data, format!("{} {what}", self.path))
    }
    fn unreadable(&self, error: io::Error) -> Error {
        Error::outside(format!("cannot read {}", self.path), error)
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::super::SegmentWriter;
    use super::*;
    use std::io::Cursor;

    fn file(records: &[u64]) -> Vec<u8> {
        let mut segments = SegmentWriter::new();
        segments.push(records).unwrap();
        let mut writer = FrameWriter::new(Vec::new(), "u64").unwrap();
        segments.finish().iter().for_each(|segment| writer.write(segment).unwrap());
        let bytes = writer.bytes();
        writer.finish().unwrap();
        let file = writer.out;
        assert_eq!(file.len() as u64, bytes + END_BYTES);
        file
    }
    fn read(file: Vec<u8>) -> Result<Vec<u64>> {
        let mut reader = FrameReader::open(Box::new(Cursor::new(file)), "f")?;
        assert_eq!(reader.name(), name_of::<u64>());
        let mut out = Vec::new();
        while let Some(segment) = reader.next()? {
            segment.decode(&mut out)?;
        }
        Ok(out)
    }

    #[test]
    fn what_was_written_is_read() {
        let records: Vec<u64> = (0..5000).map(|n| n * n).collect();
        assert_eq!(read(file(&records)).unwrap(), records);
        assert_eq!(read(file(&[])).unwrap(), []);
    }

    #[test]
    fn every_damage_is_an_error() {
        let whole = file(&(0..1500).collect::<Vec<_>>());
        for at in (0..whole.len()).filter(|at| at % 7 == 0 || *at < 60 || at + 40 > whole.len()) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(read(damaged).is_err(), "a changed byte at {at}");
            assert!(read(whole[..at].to_vec()).is_err(), "cut off at {at}");
        }
        assert!(read([&whole[..], b"x"].concat()).is_err(), "a byte behind the end");
        assert!(read([&whole[..], &whole[..]].concat()).is_err(), "two files in one");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |file: Vec<u8>| read(file).unwrap_err().to_string();
        assert_eq!(message(b"some text, and more".to_vec()), "f is no file of records written by Headwater");
        let mut later = file(&[]);
        later[6] = 2;
        assert_eq!(message(later), "f has format 2; this release reads format 1");
        assert_eq!(message(file(&[1])[..30].to_vec()), "f ends early, behind record 0");
    }
}
