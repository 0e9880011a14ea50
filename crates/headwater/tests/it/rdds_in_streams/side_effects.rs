//! Actions and outputs that return nothing: what they leave behind.

use super::harness::{BATCHES, Pair, Shape, batches, left, on_both_engines};
use headwater::LongAccumulator;
use headwater::prelude::*;
use headwater::testkit::temporary_folder;
use std::cell::Cell;
use std::collections::BTreeMap;

type Counted = (DStream<Pair>, LongAccumulator);

fn counted(left: DStream<Pair>, _: DStream<Pair>) -> Counted {
    let total = left.context().long_accumulator("total");
    (left, total)
}
fn total() -> i64 {
    left().iter().flatten().map(|record| i64::from(record.1)).sum()
}

#[test]
fn each_record_is_seen_once() {
    type Way = fn(&Rdd<Pair>, LongAccumulator) -> headwater::Result<()>;
    let ways: [(&str, Way); 4] = [
        ("for_each", |rdd, total| rdd.for_each(move |record| total.add(record.1.into()))),
        ("try_for_each", |rdd, total| {
            rdd.try_for_each(move |record| i64::from(record.1).checked_add(0).map(|n| total.add(n)).ok_or("too large"))
        }),
        ("for_each_partition", |rdd, total| {
            rdd.for_each_partition(move |records, _| records.for_each(|record| total.add(record.1.into())))
        }),
        ("an operator behind a shuffle", |rdd, total| {
            let added = rdd.repartition(2).map(move |record| total.add(record.1.into()));
            added.count().map(drop)
        }),
    ];
    for (way, run) in ways {
        for shape in Shape::ALL {
            let outputs = |(stream, total): &Counted| {
                let total = total.clone();
                stream.foreach_rdd(move |rdd, _| run(&rdd, total.clone()));
            };
            for (engine, seen) in on_both_engines(way, shape, counted, outputs, |(_, total)| total.value()) {
                assert_eq!(seen, total(), "{way} ({shape:?}) on the {engine} engine, in an output");
            }
            // The same inside `transform`, which every process calls.
            let inside = move |left: DStream<Pair>, _: DStream<Pair>| {
                let total = left.context().long_accumulator("total");
                let count = total.clone();
                let same = left.transform(move |rdd, _| {
                    run(&rdd, count.clone()).unwrap();
                    rdd
                });
                (same, total)
            };
            let outputs = |(stream, _): &Counted| drop(stream.foreach_rdd(|rdd, _| rdd.count().map(drop)));
            for (engine, seen) in on_both_engines(way, shape, inside, outputs, |(_, total)| total.value()) {
                assert_eq!(seen, total(), "{way} ({shape:?}) on the {engine} engine, inside transform");
            }
        }
    }
}

#[test]
fn partitions_of_a_stream_are_written_once() {
    for shape in Shape::ALL {
        let build = |left: DStream<Pair>, _: DStream<Pair>| {
            let written = left.context().collection_accumulator("written");
            let write = written.clone();
            left.for_each_partition(move |records, task| {
                write.add((
                    task.batch_time().unwrap().milliseconds(),
                    task.partition_id(),
                    records.collect::<Vec<_>>(),
                ));
            });
            (left, written)
        };
        let parts = |stream: &DStream<Pair>| {
            let parts = batches(stream).into_iter().zip(1..).flat_map(|(rdd, batch)| {
                let parts = rdd.collect_partitions().unwrap();
                parts.into_iter().enumerate().map(move |(index, part)| (batch * 1000, index, part))
            });
            parts.collect::<Vec<_>>()
        };
        let ran = on_both_engines(
            "for_each_partition",
            shape,
            build,
            |_| (),
            |(stream, written)| {
                let mut written = written.value();
                written.sort();
                (written, parts(&stream))
            },
        );
        for (engine, (written, parts)) in ran {
            assert_eq!(written, parts, "{shape:?} on the {engine} engine");
        }
    }
}

/// The lines of each file below `folder`, by its path there; the markers of what is whole are left out.
fn files(folder: &str) -> BTreeMap<String, String> {
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let parts = files.filter(|file| !file.ends_with("_SUCCESS"));
    parts
        .map(|file| (file.strip_prefix(folder).unwrap().display().to_string(), std::fs::read_to_string(file).unwrap()))
        .collect()
}

#[test]
fn files_are_the_same_from_every_engine() {
    for shape in Shape::ALL {
        let folders = [temporary_folder(), temporary_folder()];
        let engine = Cell::new(0);
        let outputs = |stream: &DStream<String>| {
            let folder = folders[engine.replace(1)].to_string();
            stream.save_as_text_files(&format!("{folder}/stream"), "txt");
            stream
                .foreach_rdd(move |rdd, time| rdd.save_as_text_file(&format!("{folder}/rdd-{}", time.milliseconds())));
        };
        let build = |left: DStream<Pair>, _| left.map(|(key, value)| format!("{key} {value}"));
        on_both_engines("save_as_text_files", shape, build, outputs, |_| ());
        let [local, isolated] = folders.map(|folder| files(&folder));
        assert_eq!(local, isolated, "{shape:?}");
        let lines = |prefix: &str, time: u64| {
            let name = format!("{prefix}-{}", 1000 * time);
            let files = local.iter().filter(|(path, _)| path.starts_with(&name));
            let mut lines: Vec<String> = files.flat_map(|(_, text)| text.lines().map(str::to_owned)).collect();
            lines.sort();
            lines
        };
        for (time, records) in (1..=BATCHES).zip(left()) {
            let mut expected: Vec<_> = records.iter().map(|(key, value)| format!("{key} {value}")).collect();
            expected.sort();
            assert_eq!(lines("stream", time), expected, "{shape:?}");
            assert_eq!(lines("rdd", time), expected, "{shape:?}");
        }
    }
}
