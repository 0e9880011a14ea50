//! Persisted datasets: what is computed once, what leaves when the room ends, and what happens when a disk fails.

use crate::disk::{Disk, Fault};
use headwater::env::Env;
use headwater::hash::HashSeed;
use headwater::local::LocalEngine;
use headwater::prelude::*;
use headwater::rdd::{BlockStoreLimits, StateLimits};
use headwater::testkit::{self, TemporaryFolder, TestEnv, temporary_folder};
use headwater::{Data, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LEVELS: [StorageLevel; 5] = [
    StorageLevel::DISK_ONLY,
    StorageLevel::MEMORY_ONLY,
    StorageLevel::MEMORY_ONLY_SER,
    StorageLevel::MEMORY_AND_DISK,
    StorageLevel::MEMORY_AND_DISK_SER,
];

/// A context whose store has limits, a folder of its own and a disk that fails when told to.
struct Store {
    context: RddContext,
    test: TestEnv,
    folder: TemporaryFolder,
    disk: Arc<Disk>,
}

fn store(memory_bytes: usize, disk_bytes: u64) -> Store {
    store_with_tries(memory_bytes, disk_bytes, 1)
}
/// As `store`, whose tasks are tried so often.
fn store_with_tries(memory_bytes: usize, disk_bytes: u64, failures_max: usize) -> Store {
    let (test, folder) = (TestEnv::new(), temporary_folder());
    let env = test.env();
    let disk = Arc::new(Disk::new(env.files.clone()));
    let env = Env { files: disk.clone(), ..env };
    // What a task finds gone is no failure of its own.
    let engine = Arc::new(LocalEngine::new(2, &*env.spawner).unwrap().with_task_failures_max(failures_max));
    let limits = BlockStoreLimits { memory_bytes, disk_bytes, local_dir: Some(folder.to_string()) };
    let context =
        RddContext::with_limits(engine, env, HashSeed::new(1), 2, limits, StateLimits::default(), Default::default());
    Store { context, test, folder, disk }
}
const PLENTY: u64 = 1 << 30;

impl Store {
    /// 1,000 numbers in each of `partitions`, which take 8,000 bytes, and how many of them were computed so far.
    fn numbers(&self, partitions: usize) -> (Rdd<u64>, Arc<AtomicUsize>) {
        let computed = Arc::new(AtomicUsize::new(0));
        let counter = computed.clone();
        let numbers = self.context.parallelize((0..1000 * partitions as u64).collect(), partitions);
        let counted = numbers.map(move |n| {
            counter.fetch_add(1, Ordering::Relaxed);
            n
        });
        (counted, computed)
    }
    /// The files of the store.
    fn files(&self) -> Vec<String> {
        let list = |folder: &str| self.test.env().files.list(folder).unwrap();
        let folders = list(&self.folder).into_iter().map(|entry| format!("{}/{}", &*self.folder, entry.name));
        folders
            .flat_map(|folder| list(&folder).into_iter().map(move |file| format!("{folder}/{}", file.name)))
            .collect()
    }
}

#[test]
fn every_level_computes_once_and_keeps_its_blocks_where_it_says() {
    for level in LEVELS {
        let store = store(1 << 20, PLENTY);
        let (numbers, computed) = store.numbers(3);
        let kept = numbers.persist(level);
        assert_eq!(kept.take(1).unwrap(), [0]);
        assert!(computed.load(Ordering::Relaxed) >= 1000, "{level}: a partition is computed whole");
        for _ in 0..3 {
            assert_eq!(kept.map(|n| n + 1).collect().unwrap(), (1..=3000).collect::<Vec<_>>(), "{level}");
        }
        assert_eq!(computed.load(Ordering::Relaxed), 3000, "{level}");
        let status = store.context.block_store_status();
        let expected = if level.use_memory() { (3, 0) } else { (0, 3) };
        assert_eq!((status.blocks_in_memory, status.blocks_on_disk), expected, "{level}");
        assert_eq!(store.files().len(), status.blocks_on_disk, "{level}");
        match level {
            StorageLevel::MEMORY_ONLY | StorageLevel::MEMORY_AND_DISK => assert_eq!(status.memory_bytes, 24_000),
            StorageLevel::DISK_ONLY => assert!(status.disk_bytes > 3000 && status.memory_bytes == 0),
            _ => assert!((3000..10_000).contains(&status.memory_bytes)),
        }
        // What is made from it keeps it.
        let child = kept.map(|n| n * 2);
        drop(kept);
        assert_eq!(child.count().unwrap(), 3000);
        assert_eq!(computed.load(Ordering::Relaxed), 3000, "{level}");
        drop(child);
        assert_eq!(store.context.block_store_status(), Default::default(), "{level}");
        assert_eq!(store.files(), [""; 0]);
    }
}

#[test]
fn the_folder_goes_with_the_context() {
    let store = store(1 << 20, PLENTY);
    let kept = store.numbers(1).0.persist(StorageLevel::DISK_ONLY);
    kept.count().unwrap();
    let Store { context, test, folder, disk: _ } = store;
    drop(context);
    assert_eq!(kept.count().unwrap(), 1000, "datasets outlive the handle of their context");
    drop(kept);
    assert_eq!(test.env().files.list(&folder).unwrap(), []);
}

#[test]
fn the_block_used_longest_ago_leaves() {
    let store = store(20_000, PLENTY);
    let [(a, a_computed), (b, b_computed), (c, c_computed)] =
        [(); 3].map(|()| store.numbers(1)).map(|(numbers, computed)| (numbers.cache(), computed));
    for rdd in [&a, &b, &a, &c] {
        rdd.count().unwrap();
    }
    assert_eq!(store.context.block_store_status().memory_bytes, 16_000);
    assert_eq!((a.count().unwrap(), c.count().unwrap()), (1000, 1000));
    assert_eq!((a_computed.load(Ordering::Relaxed), c_computed.load(Ordering::Relaxed)), (1000, 1000));
    b.count().unwrap();
    assert_eq!(b_computed.load(Ordering::Relaxed), 2000, "it had left, and pushes out `a` now");
    a.count().unwrap();
    assert_eq!(a_computed.load(Ordering::Relaxed), 2000);
}

#[test]
fn a_dataset_does_not_push_out_its_own_blocks() {
    let store = store(20_000, PLENTY);
    let (numbers, computed) = store.numbers(5);
    let kept = numbers.cache();
    for pass in 1..=3 {
        assert_eq!(kept.collect().unwrap(), (0..5000).collect::<Vec<_>>());
        assert_eq!(store.context.block_store_status().blocks_in_memory, 2);
        assert_eq!(computed.load(Ordering::Relaxed), 5000 + (pass - 1) * 3000);
    }
}

#[test]
fn blocks_that_leave_go_to_disk_if_their_level_says_so() {
    for level in [StorageLevel::MEMORY_AND_DISK, StorageLevel::MEMORY_AND_DISK_SER] {
        let store = store(20_000, PLENTY);
        let datasets =
            [(); 12].map(|()| store.numbers(1)).map(|(numbers, computed)| (numbers.persist(level), computed));
        for _ in 0..2 {
            for (kept, computed) in &datasets {
                assert_eq!(kept.collect().unwrap(), (0..1000).collect::<Vec<_>>());
                assert_eq!(computed.load(Ordering::Relaxed), 1000, "{level}");
                assert!(store.context.block_store_status().memory_bytes <= 20_000);
            }
        }
        let status = store.context.block_store_status();
        assert_eq!(status.blocks_in_memory + status.blocks_on_disk, 12, "{level}");
        assert!(status.blocks_on_disk >= 2, "{level}");
        assert_eq!(store.files().len(), status.blocks_on_disk);
        drop(datasets);
        assert_eq!(store.files(), [""; 0]);
    }
}

#[test]
fn a_partition_larger_than_the_memory_is_passed_on_or_goes_to_disk() {
    for level in LEVELS {
        let store = store(50_000, PLENTY);
        let context = store.context.clone();
        let numbers = store.context.parallelize((0..200_000u64).collect(), 2).map(move |n| {
            assert!(context.block_store_status().memory_bytes <= 50_000);
            n
        });
        let kept = numbers.persist(level);
        for _ in 0..2 {
            assert_eq!(kept.map(|n| n + 1).collect().unwrap(), (1..=200_000).collect::<Vec<_>>(), "{level}");
        }
        let status = store.context.block_store_status();
        let expected = if level.use_disk() { (0, 2) } else { (0, 0) };
        assert_eq!((status.blocks_in_memory, status.blocks_on_disk, status.memory_bytes), (expected.0, expected.1, 0));
    }
}

#[test]
fn a_partition_without_end_is_passed_on_too() {
    for level in [StorageLevel::MEMORY_ONLY, StorageLevel::MEMORY_ONLY_SER, StorageLevel::MEMORY_AND_DISK] {
        let store = store(50_000, 100_000);
        let endless = store.context.parallelize(vec![()], 1).flat_map(|()| 0u64..).persist(level);
        assert_eq!(endless.take(3).unwrap(), [0, 1, 2], "{level}");
        assert_eq!(store.context.block_store_status().memory_bytes, 0);
        assert_eq!(store.files(), [""; 0]);
    }
}

#[test]
fn above_the_limit_of_the_disk_partitions_are_computed_again() {
    let store = store(0, 5_000);
    let (numbers, computed) = store.numbers(4);
    let kept = numbers.persist(StorageLevel::DISK_ONLY);
    for _ in 0..3 {
        assert_eq!(kept.collect().unwrap(), (0..4000).collect::<Vec<_>>());
        let status = store.context.block_store_status();
        assert!(status.blocks_on_disk < 4 && status.disk_bytes <= 5_000, "{status:?}");
    }
    assert!(computed.load(Ordering::Relaxed) > 4000);
    let warnings = store.test.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("5000 bytes of disk"), "{warnings:?}");
}

/// A program over three datasets one behind the other, with a shuffle between; the sum that it comes to.
fn chain(store: &Store, level: StorageLevel) -> impl Fn() -> u64 {
    let words = store.context.parallelize((0..30_000u64).collect(), 3).map(|n| (n % 5000, format!("number {n}")));
    let words = words.persist(level);
    let lengths = words.map_values(|text| text.len() as u64).reduce_by_key(|a, b| a + b).persist(level);
    let sums = lengths.map(|(key, n)| key * n).persist(level);
    move || words.count().unwrap() + sums.collect().unwrap().into_iter().sum::<u64>()
}

#[test]
fn a_disk_that_fails_costs_a_warning_for_each_dataset_and_no_result() {
    let faults =
        [Fault::Folder, Fault::Create, Fault::Open, Fault::WriteAt(0), Fault::WriteAt(100), Fault::WriteAt(70_000)];
    let right = chain(&store(1 << 30, PLENTY), StorageLevel::MEMORY_ONLY)();
    for level in LEVELS.into_iter().filter(|level| level.use_disk()) {
        for memory in [0, 150_000] {
            for fault in faults {
                let store = store(memory, PLENTY);
                store.disk.set(fault);
                let run = chain(&store, level);
                (0..3).for_each(|_| assert_eq!(run(), right));
                let warnings = store.test.warnings();
                assert!((1..=3).contains(&warnings.len()), "{warnings:?}");
                assert!(
                    warnings.iter().all(|warning| warning.contains("persist at crates/headwater/tests/it/storage.rs"))
                );
                store.disk.set(Fault::None);
                assert_eq!(run(), right);
            }
        }
    }
}

#[test]
fn damaged_files_are_found_and_their_partitions_computed_again() {
    // At the beginning of a file, in its middle and at its end.
    for (part, at) in [(0, 3), (1, 2), (2, 3), (3, 3)] {
        let store = store(0, PLENTY);
        let words = store.context.parallelize((0..60_000u64).collect(), 2).map(|n| format!("number {n}"));
        let computed = words.map(|word| (word.len(), word)).group_by_key().persist(StorageLevel::DISK_ONLY);
        let mut right = computed.collect().unwrap();
        right.sort();
        let files = store.files();
        assert_eq!(files.len(), 2);
        for file in &files {
            let mut bytes = std::fs::read(file).unwrap();
            match part {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1,
                2 => {
                    let middle = bytes.len() / at;
                    bytes[middle] ^= 0x80;
                }
                _ => drop(bytes.split_off(bytes.len() - at)),
            }
            std::fs::write(file, bytes).unwrap();
        }
        for _ in 0..2 {
            let mut got = computed.collect().unwrap();
            got.sort();
            assert!(got == right);
        }
        let warnings = store.test.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("headwater-store-"), "{warnings:?}");
    }
}

#[test]
fn a_file_that_was_removed_is_computed_again() {
    let store = store(0, PLENTY);
    let (numbers, computed) = store.numbers(2);
    let kept = numbers.persist(StorageLevel::MEMORY_AND_DISK);
    kept.count().unwrap();
    store.files().iter().for_each(|file| std::fs::remove_file(file).unwrap());
    assert_eq!(kept.count().unwrap(), 2000);
    assert_eq!(computed.load(Ordering::Relaxed), 4000);
}

#[test]
fn jobs_that_run_at_the_same_time_compute_a_partition_once() {
    for round in 0..50 {
        let store = store(1 << 20, PLENTY);
        let (numbers, computed) = store.numbers(8);
        let kept = numbers.persist(LEVELS[round % LEVELS.len()]);
        let child = kept.map(|n| n + 1).cache();
        std::thread::scope(|scope| {
            let read = |rdd: &Rdd<u64>| assert_eq!(rdd.collect().unwrap().len(), 8000);
            let (kept, child) = (&kept, &child);
            let threads = [kept, child, kept, child].map(|rdd| scope.spawn(move || read(rdd)));
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(computed.load(Ordering::Relaxed), 8000);
    }
}

#[test]
fn jobs_side_by_side_over_shuffles_while_blocks_come_and_go() {
    let store = store(30_000, 60_000);
    let datasets: Vec<Rdd<(u64, u64)>> = (0..10u64)
        .map(|seed| {
            let pairs = store.numbers(4).0.map(move |n| (n * seed % 500, n));
            pairs.reduce_by_key(|a, b| a + b).persist(LEVELS[seed as usize % LEVELS.len()])
        })
        .collect();
    let sum = |rdd: &Rdd<(u64, u64)>| rdd.collect().unwrap().into_iter().map(|(_, n)| n).sum::<u64>();
    let threads = |count: u64| {
        std::thread::scope(|scope| {
            for thread in 0..count {
                let (datasets, store) = (&datasets, &store);
                scope.spawn(move || {
                    for turn in 0..100 {
                        let rdd = &datasets[((turn * 7 + thread * 3) % 10) as usize];
                        assert_eq!(sum(rdd), (0..4000).sum::<u64>());
                        let joined = rdd.join(&datasets[(turn % 10) as usize]).map(|(_, (a, b))| a.max(b));
                        joined.count().unwrap();
                        assert!(store.context.block_store_status().memory_bytes <= 30_000);
                    }
                });
            }
        });
    };
    threads(1);
    threads(3);
    drop(datasets);
    assert_eq!(store.context.block_store_status(), Default::default());
}

#[test]
fn a_shuffle_is_not_run_for_blocks_that_are_there_and_run_again_for_those_that_left() {
    let store = store(10_000, PLENTY);
    let (numbers, computed) = store.numbers(2);
    let sums = numbers.map(|n| (n % 100, n)).reduce_by_key(|a, b| a + b).cache();
    for _ in 0..3 {
        assert_eq!(sums.count().unwrap(), 100);
    }
    assert_eq!(computed.load(Ordering::Relaxed), 2000);
    let other = store.context.parallelize(vec![0u64; 1200], 1).cache();
    other.count().unwrap();
    assert_eq!(store.context.block_store_status().memory_bytes, 9600, "the sums have left");
    assert_eq!(sums.map(|(_, n)| n).collect().unwrap().iter().sum::<u64>(), 1999 * 1000);
    assert_eq!(computed.load(Ordering::Relaxed), 4000);
}

#[test]
fn the_level_of_a_persisted_dataset_does_not_change() {
    let store = store(1 << 20, PLENTY);
    let kept = store.numbers(1).0.cache();
    assert_eq!(kept.cache().storage_level(), StorageLevel::MEMORY_ONLY);
    for other in [StorageLevel::DISK_ONLY, StorageLevel::NONE] {
        let error = kept.persist(other).count().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains("cannot change the storage level"), "{error}");
    }
    kept.unpersist();
    kept.unpersist();
    let again = kept.persist(StorageLevel::DISK_ONLY);
    assert_eq!((again.count().unwrap(), again.storage_level()), (1000, StorageLevel::DISK_ONLY));
    assert_eq!(store.context.block_store_status().blocks_on_disk, 1);
    let plain = store.numbers(1).0;
    assert_eq!(plain.persist(StorageLevel::NONE).storage_level(), StorageLevel::NONE);
    plain.unpersist();
    assert_eq!(plain.count().unwrap(), 1000);
}

#[test]
fn keys_stay_in_place_and_partitions_can_be_chosen_behind_persist() {
    let store = store(1 << 20, PLENTY);
    let sums = store.numbers(2).0.map(|n| (n % 10, n)).reduce_by_key(|a, b| a + b);
    let kept = sums.cache();
    assert_eq!(kept.partitioner(), sums.partitioner());
    let five = kept.with_partitions(5);
    assert_eq!((five.num_partitions(), five.count().unwrap()), (5, 10));
    assert_eq!(five.storage_level(), StorageLevel::MEMORY_ONLY);
    assert_eq!(store.context.block_store_status().blocks_in_memory, 5);
    let cut = sums.checkpoint();
    assert_eq!(cut.partitioner(), sums.partitioner());
    assert!(cut.with_partitions(3).count().is_err());
    assert!(kept.map(|pair| pair).cache().with_partitions(3).count().is_err());
}

#[test]
fn a_dataset_is_read_from_several_places_of_a_job() {
    let store = store(10_000, PLENTY);
    let (numbers, computed) = store.numbers(1);
    for level in LEVELS {
        let kept = numbers.map(|n| (n % 10, n)).persist(level);
        assert_eq!(kept.union(&kept).union(&kept).count().unwrap(), 3000);
        assert_eq!(kept.join(&kept).count().unwrap(), 100_000);
    }
    assert!(computed.load(Ordering::Relaxed) >= 5000);
}

#[test]
fn a_task_that_fails_leaves_nothing_behind_and_is_tried_again() {
    for level in LEVELS {
        let store = store_with_tries(1 << 20, PLENTY, 2);
        let calls = AtomicUsize::new(0);
        let numbers = store.context.parallelize((0..4000u64).collect(), 2).map(move |n| {
            assert_ne!(calls.fetch_add(1, Ordering::Relaxed), 3000, "the 3001st record fails once");
            n
        });
        assert_eq!(numbers.persist(level).count().unwrap(), 4000);
        let bad = store.context.parallelize(vec![0u64], 1).map(|n| 1 / n).persist(level);
        assert!(bad.count().unwrap_err().to_string().contains("divide by zero"));
        assert!(bad.count().is_err());
        assert_eq!(store.context.block_store_status().memory_bytes, 0);
        assert_eq!(store.files(), [""; 0]);
    }
}

/// A record whose bytes do not read as a record.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
}

#[test]
fn records_that_cannot_be_read_back_are_kept_as_they_are_or_are_an_error() {
    let records = |context: &RddContext| context.parallelize((0..2000).map(Untagged::Number).collect(), 2);
    let store_of = store(10_000_000, PLENTY);
    for level in LEVELS {
        let kept = records(&store_of.context).persist(level);
        match level.deserialized() {
            true => assert_eq!(kept.collect().unwrap().len(), 2000),
            false => {
                let error = kept.collect().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Program);
                assert!(error.to_string().contains("Untagged") && error.to_string().contains("untagged"), "{error}");
            }
        }
    }
    assert!(records(&store_of.context).checkpoint().count().unwrap_err().to_string().contains("Untagged"));

    // Pushed out to disk, it is dropped with a warning.
    let store = store(40_000, PLENTY);
    let kept = records(&store.context).persist(StorageLevel::MEMORY_AND_DISK);
    kept.count().unwrap();
    store.numbers(4).0.cache().count().unwrap();
    assert_eq!(kept.collect().unwrap(), (0..2000).map(Untagged::Number).collect::<Vec<_>>());
    let warnings = store.test.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("Untagged"), "{warnings:?}");
}

#[test]
fn records_that_own_memory_count_with_it() {
    let store = store(1 << 20, PLENTY);
    let texts = store.context.parallelize(vec![1000usize; 500], 1).map(|n| "x".repeat(n)).cache();
    texts.count().unwrap();
    let bytes = store.context.block_store_status().memory_bytes;
    assert!((512_000..600_000).contains(&bytes), "{bytes}");
    let more = store.context.parallelize(vec![3usize; 600], 1).map(|n| vec![vec![0u64; 100]; n]).cache();
    more.count().unwrap();
    assert_eq!(store.context.block_store_status().blocks_in_memory, 1, "1.4 MB find no room");
}

#[test]
fn kept_lines_let_go_of_the_blocks_that_they_came_in() {
    let context = testkit::context();
    let folder = temporary_folder();
    let path = format!("{folder}/lines");
    let line = |n: usize| format!("{n} {}\n", "x".repeat(100));
    std::fs::write(&path, (0..400_000).map(line).collect::<String>()).unwrap();
    let few = context.text_file(&path, 1).unwrap().filter(|line| line.starts_with("777"));
    let (all, long) = (few.cache(), few.map(|line| (line.clone(), line)).cache());
    assert_eq!(all.count().unwrap(), 1 + 10 + 100);
    assert_eq!(long.count().unwrap(), all.count().unwrap());
    assert_eq!(all.take(1).unwrap(), [line(777).trim_end()]);
    // The file has 42 MB in six blocks; all of them are free again but what a reader filled last.
    let idle = context.blocks().idle();
    assert!(idle >= 1, "{idle}");
    drop((all, long));
    assert_eq!(context.blocks().idle(), idle, "none was held");
}

/// What a program over random datasets comes to, computed with and without a store.
#[test]
fn whatever_is_persisted_the_results_are_the_same() {
    fn same<T: Data + PartialEq + std::fmt::Debug + Ord>(plain: &Rdd<T>, kept: &Rdd<T>) {
        let (mut left, mut right) = (plain.collect().unwrap(), kept.collect().unwrap());
        left.sort();
        right.sort();
        assert_eq!(left, right);
    }
    let mut random = 12345u64;
    let mut next = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let store = store(20_000, 30_000);
    let level = |n: usize| LEVELS[n % LEVELS.len()];
    let start = || store.context.parallelize((0..1500u64).map(|n| (n % 40, n.to_string())).collect(), 3);
    let mut sets: Vec<(Rdd<(u64, String)>, Rdd<(u64, String)>)> = vec![(start(), start().persist(level(0)))];
    for _ in 0..300 {
        let (plain, kept) = sets[next(sets.len())].clone();
        let kept = if next(3) == 0 { kept.checkpoint() } else { kept.persist(kept_level(&kept, level(next(5)))) };
        let step = |rdd: &Rdd<(u64, String)>, which| match which {
            0 => rdd.map(|(key, text)| (key + 1, text)),
            1 => rdd.filter(|(key, _)| key % 3 > 0),
            2 => rdd.reduce_by_key(|a, b| a.max(b)),
            3 => rdd.repartition(4),
            _ => rdd.union(rdd).filter(|(key, text)| (*key as usize + text.len()).is_multiple_of(2)),
        };
        let which = next(5);
        let made = (step(&plain, which), step(&kept, which));
        if next(2) == 0 {
            same(&made.0, &made.1);
        }
        if sets.len() < 8 {
            sets.push(made)
        } else {
            sets[next(8)] = if next(4) == 0 { (start(), start()) } else { made }
        }
        let status = store.context.block_store_status();
        assert!(status.memory_bytes <= 20_000 && status.disk_bytes <= 30_000, "{status:?}");
    }
    sets.iter().for_each(|(plain, kept)| same(plain, kept));
}
/// A dataset that is persisted stays at its level.
fn kept_level<T: headwater::Record>(rdd: &Rdd<T>, level: StorageLevel) -> StorageLevel {
    if rdd.storage_level() == StorageLevel::NONE { level } else { rdd.storage_level() }
}
