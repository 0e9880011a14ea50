//! [`RawReader`]: the records of a file as bytes, whatever their classes are.

use super::block_reader::Block;
use super::deflate::{Decompressor, Failure};
use super::source::Source;
use super::sync_marker::{ESCAPE, SYNC_BYTES};
use super::{Compression, Header, ReaderOptions};
use headwater_core::env::FileSystem;
use headwater_core::{Error, ErrorKind, Result};
use std::fmt;
use std::io::Read;

/// Reads keys and values as bytes (`SequenceFile.Reader.nextRaw`). After an error there are no more records.
///
/// A file is checked as far as its format can be: lengths and markers, and with compression the checksums of zlib and
/// gzip, of a block before its first record is given out. There is no mark at the end of a file: without blocks, one
/// that was cut off between two records reads as a shorter one.
///
/// For an example see [`RawWriter`](super::RawWriter).
pub struct RawReader<R> {
    source: Source<R>,
    header: Header,
    marker: [u8; SYNC_BYTES],
    /// Markers from here on belong to another reader.
    end: u64,
    record_bytes_max: usize,
    /// Whether there are no more records, for good.
    has_ended: bool,
    form: Form,
}

enum Form {
    /// Records that lie in the file as they are, or with compressed values.
    Records {
        record: Vec<u8>,
        value: Vec<u8>,
        decompressor: Option<Decompressor>,
    },
    Blocks(Block),
}

/// A record of a file, until the next is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawRecord<'a> {
    /// The bytes of the key.
    pub key: &'a [u8],
    /// The bytes of the value, decompressed.
    pub value: &'a [u8],
    /// Where it stands.
    pub place: Place,
}

/// Where a record stands in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The byte at which the record begins, or its block.
    pub position: u64,
    /// Which record of its block it is, counted from 0; `None` without blocks.
    pub record_of_block: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.record_of_block {
            None => write!(f, "byte {}", self.position),
            Some(record) => write!(f, "byte {}, record {record} of the block", self.position),
        }
    }
}

impl RawReader<Box<dyn Read + Send>> {
    /// Opens a file. Where a range is read that begins behind the header, what lies between is not.
    pub fn open(files: &dyn FileSystem, path: &str, options: ReaderOptions) -> Result<RawReader<Box<dyn Read + Send>>> {
        let mut source = Source::new(files.open(path, 0)?, path, 0);
        let header = Header::read(&mut source)?;
        let (header_end, start) = (source.position(), options.range.start);
        if start > header_end && start < options.range.end {
            source = Source::new(files.open(path, start)?, path, start);
        }
        RawReader::begin(source, header, header_end, options)
    }
}

impl<R: Read> RawReader<R> {
    /// Reads the file whose first byte is the next of `input`, and which errors call `path`. It needs no buffer.
    pub fn new(input: R, path: &str, options: ReaderOptions) -> Result<RawReader<R>> {
        let mut source = Source::new(input, path, 0);
        let header = Header::read(&mut source)?;
        let header_end = source.position();
        RawReader::begin(source, header, header_end, options)
    }
    /// `source` stands behind the header, or at the beginning of the range.
    fn begin(mut source: Source<R>, header: Header, header_end: u64, options: ReaderOptions) -> Result<RawReader<R>> {
        let (start, end, marker) = (options.range.start, options.range.end, header.sync.escaped());
        let mut has_ended = start.max(header_end) >= end;
        if start > header_end && !has_ended {
            source.skip_to(start)?;
            let found = source.skip_behind(&marker)?;
            has_ended = !found || source.position() - SYNC_BYTES as u64 >= end;
        }
        let decompressor = header.compression.codec().map(Decompressor::new);
        let form = match (header.compression, decompressor) {
            (Compression::Block(_), Some(decompressor)) => Form::Blocks(Block::new(decompressor, start > header_end)),
            (_, decompressor) => Form::Records { record: Vec::new(), value: Vec::new(), decompressor },
        };
        let record_bytes_max = options.record_bytes_max;
        Ok(RawReader { source, header, marker, end, record_bytes_max, has_ended, form })
    }
    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// What errors call the file.
    pub fn path(&self) -> &str {
        self.source.path()
    }
    /// The next record; `None` at the end of the file or of the range.
    pub fn next_record(&mut self) -> Result<Option<RawRecord<'_>>> {
        if self.has_ended {
            return Ok(None);
        }
        // Until it is clear that there is one: so an error is the end.
        self.has_ended = true;
        let bounds = Bounds { marker: &self.marker, end: self.end, record_bytes_max: self.record_bytes_max };
        let record = match &mut self.form {
            Form::Blocks(block) => block.next_record(&mut self.source, &bounds)?,
            Form::Records { record, value, decompressor } => {
                let Some(at) = read_record(&mut self.source, &bounds, record)? else { return Ok(None) };
                let (key, raw) = record.split_at(at.key_length);
                let place = Place { position: at.position, record_of_block: None };
                let value = match decompressor {
                    None => raw,
                    Some(decompressor) => {
                        bounds.decompress(&self.source, at.position, "the value", decompressor, raw, value)?;
                        value
                    }
                };
                Some(RawRecord { key, value, place })
            }
        };
        self.has_ended = record.is_none();
        Ok(record)
    }
}

struct At {
    position: u64,
    key_length: usize,
}

/// Reads key and value of the next record into `record`.
fn read_record<R: Read>(source: &mut Source<R>, bounds: &Bounds, record: &mut Vec<u8>) -> Result<Option<At>> {
    loop {
        if source.is_at_end()? {
            return Ok(None);
        }
        let position = source.position();
        let length = source.array("the length of a record")?;
        if length == ESCAPE {
            if !bounds.marker_is_ours(source, position)? {
                return Ok(None);
            }
            continue;
        }
        let length = i32::from_be_bytes(length);
        let key_length = source.int("the length of a key")?;
        if length < 0 || !(0..=length).contains(&key_length) {
            let what = format!("a record of {length} bytes with a key of {key_length}: the file is damaged");
            return Err(source.damaged(position, &what));
        }
        bounds.check_length(source, position, "a record", length as usize)?;
        record.clear();
        source.take(length as usize, "a record", record)?;
        return Ok(Some(At { position, key_length: key_length as usize }));
    }
}

/// What a reader stops at.
pub(super) struct Bounds<'a> {
    marker: &'a [u8; SYNC_BYTES],
    end: u64,
    record_bytes_max: usize,
}

impl Bounds<'_> {
    /// Reads the marker whose escape stands at `position` and was read. False where it begins what belongs to another
    /// reader.
    pub(super) fn marker_is_ours<R: Read>(&self, source: &mut Source<R>, position: u64) -> Result<bool> {
        let marker: [u8; 16] = source.array("a sync marker")?;
        if marker != self.marker[4..] {
            return Err(source.damaged(position, "the sync marker is not that of the header: the file is damaged"));
        }
        Ok(position < self.end)
    }
    pub(super) fn check_length<R: Read>(&self, source: &Source<R>, at: u64, what: &str, length: usize) -> Result<()> {
        if length <= self.record_bytes_max {
            Ok(())
        } else {
            Err(self.too_long(source, at, what, &format!("{length} bytes")))
        }
    }
    /// Decompresses `what`, whose record or block begins at `position`.
    pub(super) fn decompress<R: Read>(
        &self,
        source: &Source<R>,
        position: u64,
        what: &str,
        decompressor: &mut Decompressor,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        decompressor.decompress(input, self.record_bytes_max, out).map_err(|failure| match failure {
            Failure::TooLong => self.too_long(source, position, what, "more than allowed"),
            Failure::Damaged(why) => source.damaged(position, &format!("cannot decompress {what}: {why}")),
        })
    }
    fn too_long<R: Read>(&self, source: &Source<R>, position: u64, what: &str, bytes: &str) -> Error {
        let message = format!(
            "{}, byte {position}: {what} would take {bytes}, and record_bytes_max is {}: the file is damaged, or raise it",
            source.path(),
            self.record_bytes_max
        );
        Error::new(ErrorKind::Resources, message)
    }
}
