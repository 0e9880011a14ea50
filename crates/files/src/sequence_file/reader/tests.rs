//! Whole files, files in parts, and files that are damaged.

use super::super::raw_writer::WriterOptions;
use super::super::{Codec, Compression, SyncMarker, TextBytes, VInt, VLong, Writer};
use super::*;
use crate::memory_files::MemoryFiles;
use headwater_core::Text;
use proptest::prelude::*;
use std::fmt::Debug;

const COMPRESSIONS: [Compression; 5] = [
    Compression::None,
    Compression::Record(Codec::Default),
    Compression::Record(Codec::Gzip),
    Compression::Block(Codec::Default),
    Compression::Block(Codec::Gzip),
];

type Records = Vec<(i64, String)>;

fn options(compression: Compression) -> WriterOptions {
    // Small, so that a short file has many markers and blocks.
    let options = WriterOptions::new(SyncMarker::from_bytes(*b"\xff\xff0123456789abcd")).compression(compression);
    options.sync_interval(60).block_bytes(40)
}
fn file<K: Writable, V: Writable>(compression: Compression, records: &[(K, V)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), options(compression)).unwrap();
    records.iter().for_each(|(key, value)| writer.append(key, value).unwrap());
    writer.finish().unwrap()
}
fn read(file: &[u8], options: ReaderOptions) -> Result<Records> {
    Reader::new(file, "f", options)?.collect()
}
/// The n-th has n bytes.
fn records(count: usize) -> Records {
    (0..count).map(|n| (n as i64 - 3, "wörd ".chars().cycle().take(n).collect())).collect()
}

fn check<K: Writable + PartialEq + Debug, V: Writable + PartialEq + Debug>(records: &[(K, V)]) {
    for compression in COMPRESSIONS {
        let file = file(compression, records);
        let reader = Reader::<K, V, _>::new(&file[..], "f", ReaderOptions::new()).unwrap();
        assert_eq!(reader.header().compression, compression);
        assert_eq!(reader.collect::<Result<Vec<_>>>().unwrap(), records, "{compression:?}");
    }
}

#[test]
fn every_type_comes_back() {
    check(&records(50));
    check::<i64, String>(&[]);
    check(&[((), ()), ((), ()), ((), ())]);
    check(&[(i32::MIN, f32::MIN), (i32::MAX, -0.0)]);
    check(&[(true, f64::MAX), (false, 0.5)]);
    check(&[(VInt(-113), VLong(i64::MIN)), (VInt(i32::MAX), VLong(128))]);
    check(&[(Text::from(""), vec![0u8; 3000]), (Text::from("a longer text, of a block"), vec![])]);
    check(&[(TextBytes(vec![0xff; 20]), TextBytes(vec![]))]);
}

#[test]
fn a_file_system_is_read_in_parts() {
    let files = MemoryFiles::default();
    for compression in COMPRESSIONS {
        let mut writer = Writer::create(&files, "f", options(compression)).unwrap();
        records(30).iter().for_each(|(key, value)| writer.append(key, value).unwrap());
        writer.finish().unwrap();
        let length = files.len("f").unwrap();
        let read = |range| -> Records {
            let reader = Reader::open(&files, "f", ReaderOptions::new().range(range)).unwrap();
            reader.collect::<Result<_>>().unwrap()
        };
        for cut in (0..length + 50).step_by(13) {
            let (first, second) = (read(0..cut), read(cut..u64::MAX));
            assert_eq!([&first[..], &second].concat(), records(30), "{compression:?} cut at {cut}");
        }
        assert!(!read(length / 2..length).is_empty() && !read(0..length / 2).is_empty());
        assert_eq!(read(5..5), []);
    }
    let error = Reader::<(), (), _>::open(&files, "g", ReaderOptions::new()).err().unwrap();
    assert_eq!(error.to_string(), "g is not there");
}

#[test]
fn records_have_places() {
    let place = |compression, record| {
        let file = file(compression, &records(9));
        let mut reader = RawReader::new(&file[..], "f", ReaderOptions::new()).unwrap();
        (0..record).for_each(|_| assert!(reader.next_record().unwrap().is_some()));
        reader.next_record().unwrap().unwrap().place.to_string()
    };
    assert_eq!(place(Compression::None, 0), "byte 106");
    assert_eq!(place(Compression::Block(Codec::Default), 2), "byte 129, record 2 of the block");
}

#[test]
fn what_is_wrong_with_a_record_is_said() {
    let message = |change: &dyn Fn(&mut Vec<u8>), compression| {
        let mut file = file(compression, &records(3));
        change(&mut file);
        read(&file, ReaderOptions::new()).unwrap_err().to_string()
    };
    // The first record stands behind 20 bytes of a marker: lengths at 106 and 110, the key at 114, the value at 122.
    let set = |at: usize, byte: u8| move |file: &mut Vec<u8>| file[at] = byte;
    assert_eq!(
        message(&set(86, 0), Compression::None),
        "f, byte 86: a record of 16777215 bytes with a key of -53199: the file is damaged"
    );
    assert_eq!(
        message(&set(93, 0), Compression::None),
        "f, byte 86: the sync marker is not that of the header: the file is damaged"
    );
    assert_eq!(message(&set(122, 5), Compression::None), "f, byte 106: the value: Text takes 5 bytes and 0 are left");
    assert_eq!(
        message(&set(113, 7), Compression::None),
        "f, byte 106: the key: LongWritable takes 8 bytes and 7 are left"
    );
    assert_eq!(
        message(&|file| file.truncate(118), Compression::None),
        "f, byte 114: a record should take 9 bytes and 4 are left: the file is cut off or damaged"
    );
    assert_eq!(
        message(&set(106, 0x70), Compression::None),
        "f, byte 106: a record would take 1879048201 bytes, and record_bytes_max is 268435456: the file is damaged, or raise it"
    );
    let last = |file: &mut Vec<u8>| *file.last_mut().unwrap() ^= 1;
    let gzip = message(&last, Compression::Record(Codec::Gzip));
    assert!(gzip.ends_with("cannot decompress the value: the gzip checksum or length is wrong"), "{gzip}");
    assert_eq!(
        message(&last, Compression::Block(Codec::Default)),
        "f, byte 129: cannot decompress the values: the compressed data is damaged"
    );
}

#[test]
fn bytes_behind_a_value_are_an_error() {
    assert_eq!(
        whole::<i32>(&[0; 6]).unwrap_err().to_string(),
        "2 of 6 bytes are left behind the org.apache.hadoop.io.IntWritable"
    );
}

#[test]
fn classes_must_be_those_of_the_program() {
    let file = file(Compression::None, &[(1i64, 2i64)]);
    let error = Reader::<String, i64, _>::new(&file[..], "f", ReaderOptions::new()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Program);
    assert_eq!(
        check_class("f", "keys", "com.example.Point", i32::CLASS).unwrap_err().to_string(),
        "f has keys of the class com.example.Point, and the program reads org.apache.hadoop.io.IntWritable: \
         implement Writable with this CLASS, or take RawReader"
    );
}

#[test]
fn a_record_above_the_limit_is_an_error() {
    for compression in COMPRESSIONS {
        let file = file(compression, &[(1i64, "x".repeat(1000))]);
        let limited = |bytes| read(&file, ReaderOptions::new().record_bytes_max(bytes));
        assert_eq!(limited(1021).unwrap().len(), 1);
        let error = limited(900).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resources, "{error}");
        assert!(error.to_string().contains("record_bytes_max is 900"), "{error}");
    }
}

#[test]
fn after_an_error_there_is_nothing() {
    let mut file = file(Compression::None, &records(20));
    file[122] = 9;
    let mut reader = Reader::<i64, String, _>::new(&file[..], "f", ReaderOptions::new()).unwrap();
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
    let mut raw = RawReader::new(&file[..128], "f", ReaderOptions::new()).unwrap();
    assert!(raw.next_record().unwrap().is_some());
    assert!(raw.next_record().is_err());
    assert!(raw.next_record().unwrap().is_none());
}

/// One way to damage a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    /// Four bytes, as a length has them.
    Number(prop::sample::Index, i32),
}
fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    let number = prop_oneof![Just(i32::MAX), Just(i32::MIN), Just(-1), Just(1 << 28), 0..200i32];
    prop_oneof![
        (at(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        at().prop_map(Damage::Cut),
        (at(), 1usize..30).prop_map(|(at, bytes)| Damage::Remove(at, bytes)),
        (at(), prop::collection::vec(any::<u8>(), 1..30)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), number).prop_map(|(at, number)| Damage::Number(at, number)),
    ]
}
impl Damage {
    fn to(&self, file: &mut Vec<u8>) {
        let length = file.len();
        match self {
            Damage::Flip(at, bit) => file[at.index(length)] ^= bit,
            Damage::Cut(at) => file.truncate(at.index(length)),
            Damage::Remove(at, bytes) => drop(file.drain(at.index(length)..length.min(at.index(length) + bytes))),
            Damage::Insert(at, bytes) => drop(file.splice(at.index(length)..at.index(length), bytes.iter().copied())),
            Damage::Number(at, number) => {
                let at = at.index(length - 4);
                file[at..at + 4].copy_from_slice(&number.to_be_bytes());
            }
        }
    }
}

proptest! {
    #[test]
    fn every_record_is_in_one_part(
        which in 0..5usize,
        records in prop::collection::vec((any::<i64>(), "\\PC{0,30}"), 0..60),
        interval in 0u64..200,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let options = options(COMPRESSIONS[which]).sync_interval(interval).block_bytes(interval as usize);
        let mut writer = Writer::new(Vec::new(), options).unwrap();
        records.iter().for_each(|(key, value)| writer.append(key, value).unwrap());
        let file = writer.finish().unwrap();
        let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut.index(file.len() + 1) as u64).collect();
        cuts.extend([0, u64::MAX]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).map(|ends| read(&file, ReaderOptions::new().range(ends[0]..ends[1])));
        let together = parts.collect::<Result<Vec<_>>>().unwrap().concat();
        prop_assert_eq!(together, records);
    }

    #[test]
    fn damaged_files_are_errors_and_no_more(
        which in 0..5usize,
        damages in prop::collection::vec(damage(), 1..4),
        start in 0u64..400,
    ) {
        let mut file = file(COMPRESSIONS[which], &records(20));
        damages.iter().for_each(|damage| if file.len() > 8 { damage.to(&mut file) });
        for options in [ReaderOptions::new(), ReaderOptions::new().range(start..u64::MAX)] {
            let limited = options.record_bytes_max(1 << 16);
            if let Err(error) = read(&file, limited.clone()) {
                let message = error.to_string();
                prop_assert!(message.starts_with("f, byte ") || message.starts_with("f has "), "{message}");
            }
            if let Ok(mut raw) = RawReader::new(&file[..], "f", limited) {
                while let Ok(Some(record)) = raw.next_record() {
                    prop_assert!(record.key.len() + record.value.len() <= 2 << 16);
                }
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_a_block_never_changes_a_record(
        gzip: bool,
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut file = file(Compression::Block(if gzip { Codec::Gzip } else { Codec::Default }), &records(12));
        Damage::Flip(at, 1 << bit).to(&mut file);
        // In parts of the header, and in the name of a class, nothing of the records hangs on a bit.
        if let Ok(found) = read(&file, ReaderOptions::new()) {
            prop_assert_eq!(found, records(12));
        }
    }
}
