//! Actions and outputs that return nothing: what they leave behind.

use super::harness::{BATCHES, Pair, Shape, batches, left, on_both_engines, references};
use headwater::LongAccumulator;
use headwater::prelude::*;
use headwater::testkit::{self, temporary_folder};
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
            for (engine, seen) in on_both_engines(shape, counted, outputs, |(_, total)| total.value()) {
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
            for (engine, seen) in on_both_engines(shape, inside, outputs, |(_, total)| total.value()) {
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
        on_both_engines(shape, build, outputs, |_| ());
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

#[test]
fn records_are_saved_as_they_are_and_read_again() {
    for shape in Shape::ALL {
        let folder = temporary_folder();
        let engine = Cell::new("local");
        let outputs = |stream: &DStream<Pair>| {
            let prefix = format!("{folder}/{}", engine.replace("isolated"));
            stream.save_as_object_files(&format!("{prefix}-stream"), "");
            stream.foreach_rdd(move |rdd, time| {
                rdd.save_as_object_file(&format!("{prefix}-rdd-{}", time.milliseconds()))
            });
        };
        on_both_engines(shape, |left, _| left, outputs, |_| ());
        let context = testkit::context();
        for (time, (left, _)) in (1..).zip(references(shape)) {
            let expected = left.collect_partitions().unwrap();
            for place in ["local-stream", "local-rdd", "isolated-stream", "isolated-rdd"] {
                let read = context.object_file::<Pair>(&format!("{folder}/{place}-{}", 1000 * time)).unwrap();
                assert_eq!(read.collect_partitions().unwrap(), expected, "{shape:?}, {place}");
            }
        }
    }
}

/// A file is read by the tasks of every process, in a program that joins it with each batch.
#[test]
fn files_are_read_in_every_process() {
    let folder = temporary_folder();
    let path = |name: &str| -> &'static str { format!("{folder}/{name}").leak() };
    let (lines, objects) = (path("lines"), path("objects"));
    std::fs::write(lines, "3\n5\n3\n").unwrap();
    let named = (0..8u32).map(|key| (key, format!("key {key}"))).collect();
    testkit::context().parallelize(named, 3).save_as_object_file(objects).unwrap();
    let ways: [fn(&RddContext, &str) -> Rdd<u32>; 3] = [
        |context, path| context.text_file(path, 2).unwrap().map(|line| line.parse().unwrap()),
        |context, path| {
            let whole = context.whole_text_files(path, 2).unwrap();
            whole.flat_map(|(_, text)| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<_>>())
        },
        |context, path| context.binary_records(path, 2).unwrap().map(|bytes| u32::from(bytes[0] - b'0')),
    ];
    for (shape, read_numbers) in Shape::ALL.into_iter().zip(ways.into_iter().cycle()) {
        let build = move |left: DStream<Pair>, _| {
            let names = left.context().object_file::<(u32, String)>(objects).unwrap();
            left.transform(move |rdd, _| {
                let wanted = read_numbers(rdd.context(), lines).map(|key| (key, ())).distinct();
                rdd.join(&wanted).join(&names).map(|(key, ((value, ()), name))| (key, value, name))
            })
        };
        let outputs = |stream: &DStream<_>| drop(stream.foreach_rdd(|rdd, _| rdd.count().map(drop)));
        let read = |stream: DStream<(u32, u32, String)>| -> Vec<Vec<_>> {
            batches(&stream).into_iter().map(|rdd| rdd.collect().unwrap()).collect()
        };
        let [(_, local), (_, isolated)] = on_both_engines(shape, build, outputs, read);
        assert_eq!(local, isolated, "{shape:?}");
        for (mut got, records) in local.into_iter().zip(left()) {
            let wanted = records.into_iter().filter(|record| [3, 5].contains(&record.0));
            let mut expected: Vec<_> = wanted.map(|(key, value)| (key, value, format!("key {key}"))).collect();
            got.sort();
            expected.sort();
            assert_eq!(got, expected, "{shape:?}");
        }
    }
}
