//! What a log gives back after writing, rolling, failing and damage.

use super::*;
use crate::{Failure, FaultPlan, FaultyStorage, MemoryStorage};
use headwater_core::ErrorKind;
use std::error::Error as _;
use std::sync::Arc;

fn open(storage: &(impl Storage + Clone + 'static), options: LogOptions) -> Result<LogReader> {
    LogReader::open(Arc::new(storage.clone()), "log", options)
}
fn writer(storage: &(impl Storage + Clone + 'static), options: LogOptions) -> LogWriter {
    open(storage, options).unwrap().write().unwrap().unwrap()
}
fn options() -> LogOptions {
    LogOptions::new("counts", 1).segment_bytes(200)
}
fn read(storage: &(impl Storage + Clone + 'static)) -> Result<(Vec<String>, Option<TornTail>)> {
    let mut log = open(storage, options())?;
    let mut records = Vec::new();
    while let Some((position, record)) = log.next()? {
        assert_eq!(read_record(storage, "log", position)?, record);
        records.push(String::from_utf8(record).unwrap());
    }
    Ok((records, log.torn().cloned()))
}
/// Writes each group of words with one sync.
fn write(log: &mut LogWriter, groups: &[&str]) -> Result<()> {
    for group in groups {
        let positions: Result<Vec<_>> = group.split(' ').map(|word| log.append(word.as_bytes())).collect();
        log.sync()?;
        for (word, position) in group.split(' ').zip(positions?) {
            assert_eq!(log.read(position)?, word.as_bytes());
        }
    }
    Ok(())
}
fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}
fn damage(result: Result<(Vec<String>, Option<TornTail>)>) -> LogDamage {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    error.source().and_then(|source| source.downcast_ref::<LogDamage>()).expect("damage").clone()
}
/// Of the application `counts`.
const HEADER: u64 = 51 + 6;

fn both() -> [MemoryStorage; 2] {
    [MemoryStorage::new(), MemoryStorage::new().without_append()]
}

#[test]
fn records_come_back_over_segments_and_processes() {
    for storage in both() {
        write(&mut writer(&storage, options()), &["to be", "or", "not to be that is", "the question"]).unwrap();
        write(&mut writer(&storage, options()), &["whether"]).unwrap();
        drop(writer(&storage, options()));
        assert_eq!(read(&storage).unwrap(), (words("to be or not to be that is the question whether"), None));
        assert!(segments(&storage, "log").unwrap().len() > 3);
    }
}

#[test]
fn old_segments_go_and_the_newest_stays() {
    for storage in both() {
        let mut log = writer(&storage, options());
        write(&mut log, &["to be or not to be that is", "the question", "whether"]).unwrap();
        let next = log.roll().unwrap();
        assert_eq!(log.roll().unwrap(), next, "an empty segment is not left");
        write(&mut log, &["nobler"]).unwrap();
        log.remove_before(next).unwrap();
        assert_eq!(read(&storage).unwrap().0, ["nobler"]);
        assert_eq!(segments(&storage, "log").unwrap()[0], next);
        log.remove_before(u64::MAX).unwrap();
        assert_eq!(segments(&storage, "log").unwrap().len(), 1);
        assert_eq!(read(&storage).unwrap().0, ["nobler"]);
    }
}

#[test]
fn a_gap_is_named() {
    for storage in both() {
        let mut log = writer(&storage, options());
        (0..3).for_each(|_| {
            write(&mut log, &["word"]).unwrap();
            log.roll().unwrap();
        });
        let all = segments(&storage, "log").unwrap();
        storage.remove(&path_of("log", all[1])).unwrap();
        let found = damage(read(&storage));
        assert!(found.what.contains("missing") && found.path.ends_with(&format!("{:020}.log", all[1])), "{found}");
        assert_eq!(found.good.map(|(segment, _)| segment), Some(all[0]));
        let error = open(&storage, options().first(all[1])).err().expect("the first one is missing");
        assert!(error.to_string().contains("is missing"), "{error}");
        assert!(open(&storage, options().first(all[2])).is_ok());
    }
}

#[test]
fn a_torn_tail_is_cut_and_stays_cut() {
    let storage = MemoryStorage::new();
    write(&mut writer(&storage, options()), &["to be", "or not"]).unwrap();
    let (path, bytes) = storage.paths().remove(0);
    let whole = storage.read(&path).unwrap().unwrap();
    // Everything behind the first group was written by one sync.
    let first_group = bytes - (16 + 2) - (16 + 3);
    for length in first_group..bytes {
        storage.put(&path, &whole[..length as usize]).unwrap();
        let (records, torn) = read(&storage).unwrap();
        let expected = if length < bytes - 19 { "to be" } else { "to be or" };
        assert_eq!(records, words(expected));
        assert_eq!(torn.is_some(), length != first_group && length != bytes - 19, "cut at {length}: {torn:?}");
        let storage = storage.copy();
        write(&mut writer(&storage, options()), &["whether"]).unwrap();
        assert_eq!(read(&storage).unwrap(), (words(&format!("{expected} whether")), None));
    }
    // The first page of an unsynced group is lost, a later one is there: still a torn write.
    let mut holes = whole.clone();
    holes[first_group as usize..first_group as usize + 4].fill(0);
    storage.put(&path, &holes).unwrap();
    assert_eq!(read(&storage).unwrap().0, words("to be"));
}

#[test]
fn damage_in_the_middle_names_the_place_and_can_be_cut() {
    for storage in both() {
        write(&mut writer(&storage, options()), &["to be", "or not", "to"]).unwrap();
        let second = HEADER + 18 + 18;
        let (path, at) = match storage.appends() {
            true => (path_of("log", 1), second),
            false => (path_of("log", 3), HEADER),
        };
        storage.flip_bit(&path, at * 8);
        let found = damage(read(&storage));
        assert_eq!((&found.path, found.offset, found.records), (&path, at, 2));
        let (segment, offset) = found.good.unwrap();
        assert!(cut_log(&storage, "log", segment, offset + 1).is_err());
        cut_log(&storage, "log", segment, offset).unwrap();
        assert_eq!(read(&storage).unwrap(), (words("to be"), None));
        write(&mut writer(&storage, options()), &["after"]).unwrap();
        assert_eq!(read(&storage).unwrap(), (words("to be after"), None));
    }
}

#[test]
fn who_may_not_read_is_told_why() {
    for storage in both() {
        write(&mut writer(&storage, LogOptions::new("counts", 3)), &["word"]).unwrap();
        let error = |options| open(&storage, options).err().expect("refused");
        let other = error(LogOptions::new("sums", 3));
        assert_eq!(other.kind(), ErrorKind::Program);
        assert!(other.to_string().contains("belongs to the application `counts`, not to `sums`"), "{other}");
        assert_eq!(error(LogOptions::new("counts", 2)).kind(), ErrorKind::Fenced);
        assert_eq!(error(LogOptions::new(&"x".repeat(256), 3)).kind(), ErrorKind::Program);
        let path = path_of("log", 1);
        let mut newer = format_of_version(2);
        newer.extend(b"what this release cannot know");
        storage.put(&path, &newer).unwrap();
        let newer = error(LogOptions::new("counts", 3));
        assert_eq!(newer.kind(), ErrorKind::Program);
        assert!(newer.to_string().contains("a newer release of Headwater (format 2"), "{newer}");
    }
}

fn format_of_version(version: u16) -> Vec<u8> {
    crate::format::preamble(b"HWLOGSEG", version)
}

#[test]
fn a_writer_goes_on_after_a_step_that_failed() {
    for files in both() {
        let run = |plan| {
            let storage = FaultyStorage::new(files.copy(), plan);
            let mut expected = Vec::new();
            let mut opened = (0..4).filter_map(|_| open(&storage, options()).and_then(LogReader::write).ok());
            let mut log = opened.next().unwrap().unwrap();
            for word in ["to", "be-or-not-to-be", "that", "is", "the-question-whether-it-is-nobler"] {
                for _ in 0..4 {
                    if write(&mut log, &[word]).is_ok() {
                        expected.push(word.to_owned());
                        break;
                    }
                }
            }
            assert_eq!(expected.len(), 5);
            assert_eq!(read(&storage).unwrap().0, expected);
            assert_eq!(read(&storage.crash()).unwrap().0, expected);
            storage.steps()
        };
        let steps = run(FaultPlan::new(0));
        for step in 1..=steps {
            for failure in [Failure::DiskFull, Failure::Io] {
                run(FaultPlan::new(step).fail(step, failure));
                run(FaultPlan::new(step).fail_after(step, failure));
                run(FaultPlan::new(step).fail(step, failure).fail(step + 1, failure));
                run(FaultPlan::new(step).fail_after(step, failure).fail_after(step + 1, failure));
            }
        }
    }
}

#[test]
fn limits_are_errors() {
    let storage = MemoryStorage::new();
    let mut log = writer(&storage, options());
    let record = vec![7; LOG_RECORD_BYTES_MAX + 1];
    assert_eq!(log.append(&record).unwrap_err().kind(), ErrorKind::Resources);
    (0..3).for_each(|_| assert_eq!(log.append(&record[1..]).unwrap().segment, 1));
    let error = log.append(&record[1..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(error.to_string().contains("wait for a sync"), "{error}");
    log.sync().unwrap();
    log.append(b"after").unwrap();
}
