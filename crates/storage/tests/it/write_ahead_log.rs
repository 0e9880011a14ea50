//! Spark's WriteAheadLogSuite on our log: writing, rolling, reading back, cleaning, on stores with and without append.

use crate::support::both;
use headwater_core::env::Storage;
use headwater_core::receiver::{RecordHandle, WriteAheadLog};
use headwater_core::{ErrorKind, Result};
use headwater_storage::{Failure, FaultPlan, FaultyStorage, MemoryStorage, SegmentedWriteAheadLog};
use std::sync::Arc;

fn log(storage: &(impl Storage + Clone + 'static), epoch: u64) -> SegmentedWriteAheadLog {
    SegmentedWriteAheadLog::new(Arc::new(storage.clone()), "log", epoch).segment_bytes(200)
}
fn read_all(log: &SegmentedWriteAheadLog, from: Option<&RecordHandle>) -> Result<Vec<String>> {
    let mut records = Vec::new();
    log.read_all(from, &mut |handle, record| {
        assert_eq!(log.read(&handle)?, record);
        records.push(String::from_utf8(record).unwrap());
        Ok(())
    })?;
    Ok(records)
}
fn write(log: &SegmentedWriteAheadLog, words: &str) -> Result<Vec<RecordHandle>> {
    let records: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
    log.write(&records)
}
fn segments(storage: &MemoryStorage) -> usize {
    storage.paths().iter().filter(|(path, _)| path.ends_with(".log")).count()
}

#[test]
fn records_come_back_in_order_over_segments_and_processes() {
    for storage in both() {
        let mut written: Vec<String> = Vec::new();
        for epoch in 1..4 {
            let log = log(&storage, epoch);
            assert_eq!(read_all(&log, None).unwrap(), written);
            for number in 0..10 {
                let words = format!("{epoch}-{number} to-be or-not-to-be");
                for (handle, word) in write(&log, &words).unwrap().iter().zip(words.split(' ')) {
                    assert_eq!(log.read(handle).unwrap(), word.as_bytes());
                    written.push(word.to_owned());
                }
            }
        }
        assert!(segments(&storage) > 6, "it rolls");
    }
}

#[test]
fn cleaning_removes_whole_segments_also_of_earlier_processes() {
    for storage in both() {
        let first = log(&storage, 1);
        read_all(&first, None).unwrap();
        (0..10).for_each(|number| drop(write(&first, &format!("old-{number}")).unwrap()));
        let second = log(&storage, 2);
        read_all(&second, None).unwrap();
        let kept = write(&second, "kept").unwrap().remove(0);
        second.clean(&kept).unwrap();
        second.clean(&kept).unwrap();
        write(&second, "later").unwrap();
        // One of the earlier segments comes back, as a crash may bring it.
        let third = log(&storage, 3);
        storage.put("log/00000000000000000001.log", b"anything").unwrap();
        assert_eq!(read_all(&third, Some(&kept)).unwrap(), ["kept", "later"]);
        third.clean(&kept).unwrap();
        assert_eq!(storage.read("log/00000000000000000001.log").unwrap(), None);
    }
}

/// A write that failed, with effect or without, is written again by its user, and is there once.
#[test]
fn a_write_that_failed_can_be_tried_again() {
    for files in both() {
        let steps = {
            let storage = FaultyStorage::new(files.copy(), FaultPlan::new(0));
            read_all(&log(&storage, 1), None).unwrap();
            storage.steps()
        };
        for step in steps + 1..steps + 4 {
            for plan in [
                FaultPlan::new(step).fail(step, Failure::DiskFull),
                FaultPlan::new(step).fail_after(step, Failure::DiskFull),
                FaultPlan::new(step).fail_after(step, Failure::Io).fail(step + 1, Failure::Io),
            ] {
                let storage = FaultyStorage::new(files.copy(), plan);
                let log_of_one = log(&storage, 1);
                read_all(&log_of_one, None).unwrap();
                for words in ["to be", "or not", "to be"] {
                    (0..9).find(|_| write(&log_of_one, words).is_ok()).expect("the fault passes");
                }
                let expected = ["to", "be", "or", "not", "to", "be"];
                assert_eq!(read_all(&log(&storage.crash(), 2), None).unwrap(), expected, "step {step}");
            }
        }
    }
}

#[test]
fn a_later_process_is_the_only_one_that_writes() {
    for storage in both() {
        let (old, new) = (log(&storage, 1), log(&storage, 2));
        read_all(&old, None).unwrap();
        write(&old, "before").unwrap();
        assert_eq!(read_all(&new, None).unwrap(), ["before"]);
        assert_eq!(write(&old, "behind").unwrap_err().kind(), ErrorKind::Fenced);
        assert_eq!(read_all(&log(&storage, 1), None).unwrap_err().kind(), ErrorKind::Fenced);
        write(&new, "after").unwrap();
        assert_eq!(read_all(&log(&storage, 3), None).unwrap(), ["before", "after"]);
    }
}

#[test]
fn misuse_is_an_error_that_says_so() {
    let log = log(&MemoryStorage::new(), 1);
    assert!(write(&log, "early").unwrap_err().to_string().contains("written before it was read"));
    let other = RecordHandle::new(b"of another log").unwrap();
    assert!(log.read(&other).unwrap_err().to_string().contains("was the write-ahead log exchanged?"));
}
