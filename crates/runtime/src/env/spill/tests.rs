//! What every spill space does, checked on both of them, and what the one on disk does to the disk.

use super::*;
use crate::testkit::{MemorySpill, SpillFault, TemporaryFolder, temporary_folder};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::path::PathBuf;

/// So little that every test flushes and compacts often.
const SMALL: i64 = 256 << 10;

fn small() -> DiskSpill {
    DiskSpill::with_limits(SMALL as u64, SMALL)
}
fn put(table: &mut dyn SpillTable, records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
    table.write(&mut records.into_iter().map(|(key, value)| (key, Some(value))))
}
fn remove(table: &mut dyn SpillTable, keys: impl IntoIterator<Item = Vec<u8>>) {
    table.write(&mut keys.into_iter().map(|key| (key, None))).unwrap();
}
/// Numbered, and spread over the order of keys.
fn spread(number: u64) -> Vec<u8> {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes().to_vec()
}
/// All records, page by page.
fn pages(table: &dyn SpillTable, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    loop {
        let from = all.last().map_or(Unbounded, |(key, _)| Excluded(&key[..]));
        let page = table.page((from, Unbounded), limit).unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// What a program may rely on in any space.
fn conforms(space: &dyn SpillSpace) {
    let folder = temporary_folder();
    let open = |name: &str| space.open(Some(&folder), name).unwrap();
    records_come_and_go(&mut *open("records"));
    ranges_are_cut_where_they_say(&mut *open("ranges"));
    many_keys_are_paged_in_order(&mut *open("many"));
    large_values_come_back(&mut *open("large"));
    what_does_not_fit_is_refused(&mut *open("limits"));
    tables_know_nothing_of_each_other(open("same"), open("same"));
    equals_a_map_after_any_changes(&mut *open("any"));
}

fn records_come_and_go(table: &mut dyn SpillTable) {
    assert_eq!((table.get(b"a").unwrap(), table.get(b"").unwrap(), pages(table, 10)), (None, None, vec![]));
    let record = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    put(table, [record(b"a", b"1"), record(b"", b"empty key"), record(b"c", b"")]).unwrap();
    put(table, [record(b"a", b"2"), record(b"a", b"3")]).unwrap();
    assert_eq!(table.get(b"a").unwrap(), Some(b"3".to_vec()));
    assert_eq!(table.get(b"").unwrap(), Some(b"empty key".to_vec()));
    assert_eq!(table.get(b"c").unwrap(), Some(vec![]));
    assert_eq!((table.get(b"b").unwrap(), table.get(b"aa").unwrap()), (None, None));
    assert_eq!(pages(table, 2), [record(b"", b"empty key"), record(b"a", b"3"), record(b"c", b"")]);
    remove(table, [b"a".to_vec(), b"".to_vec(), b"never there".to_vec()]);
    assert_eq!((table.get(b"a").unwrap(), table.get(b"").unwrap()), (None, None));
    let [first, again] = [record(b"a", b"4"), record(b"c", b"5")].map(|(key, value)| (key, Some(value)));
    table.write(&mut [first, (b"a".to_vec(), None), again].into_iter()).unwrap();
    assert_eq!(pages(table, 2), [record(b"c", b"5")]);
}

fn ranges_are_cut_where_they_say(table: &mut dyn SpillTable) {
    put(table, [1u8, 3, 5, 255].map(|key| (vec![key], vec![key]))).unwrap();
    let page = |from: Bound<&[u8]>, to: Bound<&[u8]>, limit| {
        table.page((from, to), limit).unwrap().into_iter().map(|(key, _)| key[0]).collect::<Vec<_>>()
    };
    let three: &[u8] = &[3];
    assert_eq!(page(Included(three), Unbounded, 10), [3, 5, 255]);
    assert_eq!(page(Excluded(three), Unbounded, 10), [5, 255]);
    assert_eq!(page(Unbounded, Included(three), 10), [1, 3]);
    assert_eq!(page(Unbounded, Excluded(three), 10), [1]);
    assert_eq!(page(Included(&[2]), Excluded(&[5, 0]), 10), [3, 5]);
    assert_eq!(page(Unbounded, Unbounded, 3), [1, 3, 5]);
    assert_eq!(page(Included(three), Included(three), 10), [3]);
    let nothing =
        [(Included(three), Excluded(three)), (Excluded(three), Excluded(three)), (Included(three), Included(&[2]))];
    for (from, to) in nothing {
        assert_eq!(page(from, to, 10), []);
    }
    assert_eq!(page(Unbounded, Unbounded, 0), []);
}

fn many_keys_are_paged_in_order(table: &mut dyn SpillTable) {
    const KEYS: u64 = 100_000;
    for chunk in 0..KEYS / 1000 {
        put(table, (chunk * 1000..(chunk + 1) * 1000).map(|n| (spread(n), n.to_le_bytes().to_vec()))).unwrap();
    }
    remove(table, (0..KEYS).step_by(3).map(spread));
    let left = || (0..KEYS).filter(|n| n % 3 != 0);
    let mut expected: Vec<_> = left().map(|n| (spread(n), n.to_le_bytes().to_vec())).collect();
    expected.sort();
    assert!(pages(table, 999) == expected, "pages in another order, or of other records");
    for n in (0..KEYS).step_by(97) {
        let value = (n % 3 != 0).then(|| n.to_le_bytes().to_vec());
        assert_eq!(table.get(&spread(n)).unwrap(), value, "{n}");
    }
}

fn large_values_come_back(table: &mut dyn SpillTable) {
    let value = |n: u8| (0..10 << 20).map(|at: u32| (at.wrapping_mul(at) >> 8) as u8 ^ n).collect::<Vec<u8>>();
    for n in 0..4 {
        put(table, [(vec![n], value(n))]).unwrap();
    }
    put(table, [(vec![1], b"small".to_vec())]).unwrap();
    assert!(table.get(&[2]).unwrap() == Some(value(2)) && table.get(&[1]).unwrap() == Some(b"small".to_vec()));
    let lengths = |from: Bound<&[u8]>| {
        table.page((from, Unbounded), 100).unwrap().iter().map(|(_, value)| value.len()).collect::<Vec<_>>()
    };
    // A page has its first record in any case, and ends where it has become large.
    assert_eq!(lengths(Unbounded), [10 << 20]);
    assert_eq!(lengths(Excluded(&[0])), [5, 10 << 20]);
    assert_eq!(pages(table, 100).len(), 4);
}

fn what_does_not_fit_is_refused(table: &mut dyn SpillTable) {
    let longest = vec![7; SPILL_KEY_BYTES_MAX];
    let too_long = vec![7; SPILL_KEY_BYTES_MAX + 1];
    put(table, [(longest.clone(), b"1".to_vec())]).unwrap();
    assert_eq!(table.get(&longest).unwrap(), Some(b"1".to_vec()));
    let error = put(table, [(too_long.clone(), b"1".to_vec())]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    let expected = "a key of 65535 bytes does not fit into the table limits of state on disk, which takes up to 65534";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert_eq!(table.get(&too_long).unwrap(), None);
    let keys = |from: Bound<&[u8]>, to: Bound<&[u8]>| table.page((from, to), 10).unwrap().len();
    let too_long = &too_long[..];
    assert_eq!((keys(Included(too_long), Unbounded), keys(Excluded(too_long), Unbounded)), (0, 0));
    assert_eq!((keys(Unbounded, Included(too_long)), keys(Unbounded, Excluded(too_long))), (1, 1));
    assert_eq!((keys(Included(&longest), Included(&longest)), keys(Excluded(&longest), Excluded(too_long))), (1, 0));
}

fn tables_know_nothing_of_each_other(mut one: Box<dyn SpillTable>, mut other: Box<dyn SpillTable>) {
    put(&mut *one, (0..5000).map(|n| (spread(n), b"one".to_vec()))).unwrap();
    put(&mut *other, (2500..7500).map(|n| (spread(n), b"other".to_vec()))).unwrap();
    remove(&mut *one, (0..4000).map(spread));
    assert_eq!((pages(&*one, 100).len(), pages(&*other, 100).len()), (1000, 5000));
    drop(one);
    assert_eq!(other.get(&spread(4500)).unwrap(), Some(b"other".to_vec()));
}

fn equals_a_map_after_any_changes(table: &mut dyn SpillTable) {
    let mut map = BTreeMap::new();
    // The numbers are those of a linear generator: any, and the same in each run.
    let mut seed = 1u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..300 {
        let changes: Vec<(Vec<u8>, Option<Vec<u8>>)> = (0..next(100))
            .map(|_| {
                let key = vec![b'k'; next(40) as usize + 1].into_iter().chain(next(50).to_be_bytes()).collect();
                (key, (next(3) > 0).then(|| vec![next(256) as u8; next(200) as usize]))
            })
            .collect();
        for (key, value) in changes.clone() {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        table.write(&mut changes.into_iter()).unwrap();
    }
    assert!(map.len() > 500, "{} keys", map.len());
    assert!(pages(table, 64) == map.into_iter().collect::<Vec<_>>(), "other records than the map's");
}

#[test]
fn the_space_on_disk_conforms() {
    conforms(&DiskSpill::with_limits(1 << 20, 1 << 20));
}
#[test]
fn the_space_on_disk_conforms_before_anything_is_flushed() {
    let (space, folder) = (DiskSpill::default(), temporary_folder());
    let open = |name: &str| space.open(Some(&folder), name).unwrap();
    records_come_and_go(&mut *open("records"));
    ranges_are_cut_where_they_say(&mut *open("ranges"));
    equals_a_map_after_any_changes(&mut *open("any"));
}
#[test]
fn the_space_of_the_test_kit_conforms_and_fails_when_told_to() {
    let space = MemorySpill::default();
    conforms(&space);
    assert_eq!((space.tables(), space.records()), (0, 0));
    let mut table = space.open(None, "counts").unwrap();
    let records = || (0..10).map(|n| (spread(n), vec![0]));
    space.set(SpillFault::WriteAfter(4));
    assert!(put(&mut *table, records()).unwrap_err().to_string().starts_with("cannot write the table counts"));
    assert_eq!(space.records(), 4);
    space.set(SpillFault::Read);
    assert!(table.get(b"a").is_err() && table.page((Unbounded, Unbounded), 1).is_err());
    space.set(SpillFault::Open);
    assert!(space.open(None, "more").is_err());
    space.set(SpillFault::None);
    put(&mut *table, records()).unwrap();
    assert_eq!((space.tables(), space.records(), table.bytes_on_disk()), (1, 10, 90));
}

/// The entries of a folder, in no order.
fn entries(folder: impl AsRef<std::path::Path>) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
/// A table with so much in it that most is on disk, below a folder of its own.
fn spilled(space: &DiskSpill) -> (Box<dyn SpillTable>, TemporaryFolder) {
    let folder = temporary_folder();
    let mut table = space.open(Some(&folder), "counts").unwrap();
    put(&mut *table, (0..20_000).map(|n| (spread(n), vec![n as u8; 100]))).unwrap();
    assert!(table.bytes_on_disk() > 2_000_000, "{}", table.bytes_on_disk());
    (table, folder)
}

#[test]
fn nothing_is_made_before_the_first_table_and_all_goes_with_the_last() {
    let (space, folder) = (small(), temporary_folder());
    let below = format!("{folder}/made/too");
    assert!(entries(&*folder).is_empty());
    let tables = ["a", "b"].map(|name| space.open(Some(&below), name).unwrap());
    let own = entries(&below);
    let name = own[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(own.len() == 1 && name.starts_with(&format!("headwater-spill-{}-", std::process::id())), "{own:?}");
    assert_eq!(entries(own[0].join("tables")).len(), 2);
    let [one, other] = tables;
    drop(one);
    assert_eq!(entries(own[0].join("tables")).len(), 1);
    drop(space);
    assert_eq!(other.get(b"a").unwrap(), None);
    drop(other);
    assert!(entries(&below).is_empty());
}

#[test]
fn what_a_dead_process_left_is_removed_and_what_a_living_one_uses_is_not() {
    let folder = temporary_folder();
    let left = |name: &str, lock: bool, table: bool| {
        let path = PathBuf::from(format!("{folder}/{name}"));
        fs::create_dir_all(&path).unwrap();
        if table {
            fs::create_dir_all(path.join("tables/0")).unwrap();
            fs::write(path.join("tables/0/file"), "left").unwrap();
        }
        lock.then(|| File::create(path.join("lock")).unwrap())
    };
    let living = left("headwater-spill-1-0", true, true).unwrap();
    living.lock().unwrap();
    left("headwater-spill-2-0", true, true);
    left("headwater-spill-2-1", true, false);
    left("headwater-spill-3-0", false, false);
    left("another's", true, true);
    let ours = small().open(Some(&folder), "counts").unwrap();
    let others = || {
        let ours = format!("headwater-spill-{}-", std::process::id());
        let names = entries(&*folder).into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
        let mut others: Vec<String> = names.filter(|name| !name.starts_with(&ours)).collect();
        others.sort();
        others
    };
    assert_eq!(others(), ["another's", "headwater-spill-1-0"]);
    // A second context of this process does not take the first for a dead one.
    let other = small().open(Some(&folder), "counts").unwrap();
    assert_eq!(entries(&*folder).len(), 4);
    drop((ours, other, living));
    drop(small().open(Some(&folder), "counts").unwrap());
    assert_eq!(others(), ["another's"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_its_setting() {
    let folder = temporary_folder();
    fs::write(format!("{folder}/file"), "").unwrap();
    let error = small().open(Some(&format!("{folder}/file/below")), "counts").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Outside);
    let expected =
        format!("cannot make a folder in {folder}/file/below for state that has no room in memory; set headw");
    assert!(error.to_string().starts_with(&expected) && error.to_string().contains("headwater.local_dir"), "{error}");
}

#[test]
fn a_disk_that_fails_is_an_error_that_names_table_and_path_and_may_pass() {
    let (mut table, folder) = spilled(&small());
    let files = entries(entries(&*folder)[0].join("tables"))[0].join("tables");
    let away = format!("{folder}/away");
    fs::rename(&files, &away).unwrap();
    let records = |from: u64| (from..from + 20_000).map(|n| (spread(n), vec![n as u8; 100]));
    let error = put(&mut *table, records(20_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outside);
    let expected = "cannot write the table counts of state on disk, in ";
    assert!(error.to_string().starts_with(expected) && error.to_string().contains(&*folder), "{error}");
    fs::rename(&away, &files).unwrap();
    put(&mut *table, records(20_000)).unwrap();
    assert_eq!(pages(&*table, 1000).len(), 40_000);
}

#[test]
fn damaged_files_are_an_error_and_no_wrong_value() {
    let (table, folder) = spilled(&small());
    let mut damaged = 0;
    for file in entries(entries(entries(&*folder)[0].join("tables"))[0].join("tables")) {
        let bytes = fs::read(&file).unwrap();
        damaged += 1;
        fs::write(&file, vec![0xAA; bytes.len()]).unwrap();
    }
    assert!(damaged > 0);
    let mut errors = 0;
    for n in 0..20_000 {
        match table.get(&spread(n)) {
            Ok(value) => assert_eq!(value, Some(vec![n as u8; 100])),
            Err(error) => {
                assert!(error.to_string().starts_with("cannot read the table counts of state on disk"), "{error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 1000, "{errors}");
}

#[test]
fn what_all_tables_hold_in_memory_is_bounded_and_the_largest_makes_room() {
    let (space, folder) = (small(), temporary_folder());
    let open = |n: usize| space.open(Some(&folder), &n.to_string()).unwrap();
    let mut tables: Vec<Box<dyn SpillTable>> = (0..8).map(open).collect();
    let bytes = || space.shared.buffers.bytes();
    // The first one fills the room and the others drive it out.
    put(&mut *tables[0], (0..1500).map(|n| (spread(n), vec![1; 100]))).unwrap();
    assert_eq!(tables[0].bytes_on_disk(), 0);
    for table in &mut tables[1..] {
        put(&mut **table, (0..300).map(|n| (spread(n), vec![2; 100]))).unwrap();
        assert!((0..=SMALL).contains(&bytes()), "{}", bytes());
    }
    assert!(tables[0].bytes_on_disk() > 150_000, "{}", tables[0].bytes_on_disk());
    assert_eq!(tables[7].bytes_on_disk(), 0);
    drop(tables);
    assert_eq!(bytes(), 0);
}

#[test]
fn threads_that_write_their_tables_at_a_time_lose_nothing() {
    let (space, folder) = (small(), temporary_folder());
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (space, folder) = (&space, &folder);
            scope.spawn(move || {
                let mut table = space.open(Some(folder), "counts").unwrap();
                for round in 0..5u8 {
                    put(&mut *table, (0..2000).map(|n| (spread(n), vec![round; 50 * thread as usize]))).unwrap();
                }
                let expected = vec![4; 50 * thread as usize];
                assert!(pages(&*table, 100).iter().all(|(_, value)| *value == expected));
                assert_eq!(pages(&*table, 100).len(), 2000);
            });
        }
    });
    assert_eq!(space.shared.buffers.bytes(), 0);
    assert!(entries(&*folder).is_empty());
}

/// An open file keeps its bytes on the disk, even if its name is gone.
#[test]
#[cfg(target_os = "linux")]
fn a_table_that_is_dropped_leaves_no_file_open() {
    let space = small();
    let open = |folder: &str| {
        let links = entries("/proc/self/fd").into_iter().filter_map(|link| fs::read_link(link).ok());
        links.filter(|path| path.starts_with(folder) && path.to_string_lossy().contains("/tables/")).count()
    };
    let (table, folder) = spilled(&space);
    assert_eq!(pages(&*table, 1000).len(), 20_000);
    assert!(open(&folder) > 0);
    drop(table);
    assert_eq!(open(&folder), 0);
}
