//! Where markers stand, and what a failed write leaves.

use super::super::{Codec, RawReader, ReaderOptions};
use super::*;
use std::io;

fn options(compression: Compression) -> WriterOptions {
    WriterOptions::new(SyncMarker::from_bytes(*b"0123456789abcdef")).compression(compression).sync_interval(100)
}
fn writer(options: WriterOptions) -> RawWriter<Vec<u8>> {
    RawWriter::new(Vec::new(), "k", "v", options).unwrap()
}
/// Where markers begin, without that of the header.
fn markers(file: &[u8]) -> Vec<usize> {
    memchr::memmem::find_iter(file, &SyncMarker::from_bytes(*b"0123456789abcdef").escaped()).collect()
}
fn records(file: &[u8]) -> usize {
    let (mut reader, mut records) = (RawReader::new(file, "f", ReaderOptions::new()).unwrap(), 0);
    while reader.next_record().unwrap().is_some() {
        records += 1;
    }
    records
}

#[test]
fn a_record_has_hadoops_bytes() {
    let mut writer = writer(options(Compression::None).metadata("m", "1"));
    writer.append(b"key", b"value").unwrap();
    let file = writer.finish().unwrap();
    let header = b"SEQ\x06\x01k\x01v\0\0\0\0\0\x01\x01m\x011" as &[u8];
    assert_eq!(file, [header, b"0123456789abcdef", b"\0\0\0\x08\0\0\0\x03keyvalue"].concat());
}

#[test]
fn markers_stand_as_far_apart_as_was_asked() {
    let mut writer = writer(options(Compression::None));
    let header = writer.position() as usize;
    assert_eq!(header, 30);
    (0..10).for_each(|_| writer.append(&[0; 10], &[0; 12]).unwrap());
    writer.sync().unwrap();
    writer.sync().unwrap();
    let file = writer.finish().unwrap();
    // Three records of 30 bytes bring the file to 120; then four of them 120 bytes behind the last marker's end.
    assert_eq!(markers(&file), [120, 260, 370]);
    assert_eq!((file.len(), records(&file)), (390, 10));
}

#[test]
fn every_block_has_a_marker() {
    let mut writer = writer(options(Compression::Block(Codec::Default)).block_bytes(50));
    writer.sync().unwrap();
    (0..11).for_each(|_| writer.append(&[0; 10], &[0; 10]).unwrap());
    writer.sync().unwrap();
    let open = writer.position();
    writer.append(b"", b"").unwrap();
    assert_eq!(writer.position(), open, "what is in an open block is not in the file");
    let file = writer.finish().unwrap();
    assert_eq!((markers(&file).len(), records(&file)), (5, 12));
}

#[test]
fn a_record_that_cannot_be_written_leaves_nothing() {
    for compression in [Compression::None, Compression::Record(Codec::Default), Compression::Block(Codec::Gzip)] {
        let mut writer = writer(options(compression));
        let fail = |out: &mut Vec<u8>| {
            out.push(1);
            Err(Error::program("no such value"))
        };
        writer.append(b"k", b"v").unwrap();
        assert!(writer.append_with(|_| Ok(()), fail).is_err());
        assert!(writer.append_with(fail, |_| Ok(())).is_err());
        writer.append(b"k", b"v").unwrap();
        assert_eq!(records(&writer.finish().unwrap()), 2);
    }
}

#[test]
fn after_a_failed_write_there_is_no_going_on() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                self.0 = usize::MAX;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = bytes.len().min(self.0);
            self.0 -= written;
            Ok(written)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = RawWriter::new(Full(1000), "k", "v", options(Compression::None)).unwrap();
    let error = writer.append(&[0; OUT_BYTES], b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outside);
    assert!(error.to_string().starts_with("cannot write a SequenceFile: "), "{error}");
    let error = writer.finish().err().unwrap();
    assert_eq!(error.to_string(), "an earlier write to the file has failed: write it anew");
}

#[test]
fn lengths_end_at_31_bits() {
    assert!(int_length(i32::MAX as usize).is_ok());
    let error = int_length(1 << 31).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(error.to_string().contains("2147483648 bytes"), "{error}");
}
