//! Datasets that are persisted or checkpointed, and read more than once. To add one, add its row.

use super::harness::{Pair, shown, texts};
use super::rows::{Model, all, check, in_any_order, sums};
use headwater::prelude::*;

fn read_twice(kept: Rdd<Pair>) -> Rdd<String> {
    shown(kept.union(&kept.map(|record| record)))
}
fn shuffled(rdd: &Rdd<Pair>) -> Rdd<Pair> {
    rdd.repartition(2)
}
/// The same, after a job has read it.
fn counted(kept: Rdd<Pair>) -> Rdd<Pair> {
    kept.count().unwrap();
    kept
}

#[test]
fn operators_that_keep() {
    let twice: Model = |l, _| texts(all(l).chain(all(l)));
    let sums: Model = |l, _| sums(l);
    check(vec![
        in_any_order("NONE", |l, _| read_twice(shuffled(l).persist(StorageLevel::NONE)), twice),
        in_any_order("DISK_ONLY", |l, _| read_twice(shuffled(l).persist(StorageLevel::DISK_ONLY)), twice),
        in_any_order("MEMORY_ONLY", |l, _| read_twice(shuffled(l).persist(StorageLevel::MEMORY_ONLY)), twice),
        in_any_order("MEMORY_ONLY_SER", |l, _| read_twice(shuffled(l).persist(StorageLevel::MEMORY_ONLY_SER)), twice),
        in_any_order("MEMORY_AND_DISK", |l, _| read_twice(shuffled(l).persist(StorageLevel::MEMORY_AND_DISK)), twice),
        in_any_order(
            "MEMORY_AND_DISK_SER",
            |l, _| read_twice(shuffled(l).persist(StorageLevel::MEMORY_AND_DISK_SER)),
            twice,
        ),
        in_any_order("cache, read before", |l, _| read_twice(counted(shuffled(l).cache())), twice),
        in_any_order(
            "unpersist",
            |l, _| {
                let kept = counted(shuffled(l).cache());
                kept.unpersist();
                read_twice(kept)
            },
            twice,
        ),
        in_any_order("checkpoint", |l, _| read_twice(shuffled(l).checkpoint()), twice),
        in_any_order(
            "checkpoint, read before",
            |l, _| shown(counted(l.reduce_by_key(|a, b| a + b).checkpoint()).reduce_by_key(|a, b| a + b)),
            sums,
        ),
        in_any_order(
            "checkpoint between persisted ones",
            |l, _| shown(shuffled(l).cache().reduce_by_key(|a, b| a + b).checkpoint().map_values(|v| v).cache()),
            sums,
        ),
    ]);
}
