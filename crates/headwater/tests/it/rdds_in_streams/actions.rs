//! The actions that return a value: inside `transform`, where the value steers the program of every process, and inside
//! `foreach_rdd`. To add one, add its row.

use super::harness::{BATCHES, Pair, Parts, Shape, batches, on_both_engines, references};
use headwater::prelude::*;
use headwater::{ErrorKind, Result};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

type Action = fn(&Rdd<Pair>) -> Result<String>;
type Model = fn(&Parts) -> String;

struct Row {
    name: &'static str,
    action: Action,
    /// `None` for an action that picks by chance, or estimates.
    model: Option<Model>,
}
fn exact(name: &'static str, action: Action, model: Model) -> Row {
    Row { name, action, model: Some(model) }
}
fn by_chance(name: &'static str, action: Action) -> Row {
    Row { name, action, model: None }
}

fn text(value: impl Debug) -> String {
    format!("{value:?}")
}
fn ok(value: impl Debug) -> Result<String> {
    Ok(text(value))
}
/// A map in the order of its keys.
fn map<K: Ord, V>(map: HashMap<K, V>) -> BTreeMap<K, V> {
    map.into_iter().collect()
}

fn all(parts: &Parts) -> Vec<Pair> {
    parts.concat()
}
fn numbers(parts: &Parts) -> Vec<u32> {
    all(parts).iter().map(|record| record.1).collect()
}
fn sum(parts: &Parts) -> u32 {
    numbers(parts).iter().sum()
}
fn sorted(parts: &Parts) -> Vec<Pair> {
    let mut records = all(parts);
    records.sort();
    records
}
fn counts<T: Ord>(records: impl IntoIterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    records.into_iter().for_each(|record| *counts.entry(record).or_default() += 1);
    counts
}
/// The values of a key, each with a comma.
fn joined(parts: &Parts) -> BTreeMap<u32, String> {
    let mut texts = BTreeMap::<u32, String>::new();
    all(parts).iter().for_each(|(key, n)| texts.entry(*key).or_default().push_str(&format!("{n},")));
    texts
}
fn with_comma(n: u32) -> String {
    format!("{n},")
}

#[test]
fn actions_that_bring_records() {
    check(vec![
        exact("collect", |r| ok(r.collect()?), |p| text(all(p))),
        exact("collect_partitions", |r| ok(r.collect_partitions()?), |p| text(p)),
        exact(
            "collect of what was mapped",
            |r| ok(r.keys().collect()?),
            |p| text(all(p).iter().map(|r| r.0).collect::<Vec<_>>()),
        ),
        exact("take", |r| ok(r.take(5)?), |p| text(all(p).iter().take(5).collect::<Vec<_>>())),
        exact("take none", |r| ok(r.take(0)?), |_| text([0; 0])),
        exact("take all", |r| ok(r.take(1000)?), |p| text(all(p))),
        exact("first", |r| ok(r.first().ok()), |p| text(all(p).first())),
        exact("to_local_iterator", |r| ok(r.to_local_iterator().collect::<Result<Vec<_>>>()?), |p| text(all(p))),
        exact(
            "to_local_iterator, not to its end",
            |r| ok(r.to_local_iterator().take(7).collect::<Result<Vec<_>>>()?),
            |p| text(all(p).iter().take(7).collect::<Vec<_>>()),
        ),
        exact(
            "collect_as_map",
            |r| ok(map(r.collect_as_map()?)),
            |p| text(all(p).into_iter().collect::<BTreeMap<_, _>>()),
        ),
        exact(
            "lookup",
            |r| ok(r.lookup(&3)?),
            |p| text(all(p).iter().filter(|r| r.0 == 3).map(|r| r.1).collect::<Vec<_>>()),
        ),
        exact("lookup of no key", |r| ok(r.lookup(&99)?), |_| text([0; 0])),
        by_chance("take_sample", |r| ok(r.take_sample(false, 5, 42)?)),
        by_chance("take_sample with replacement", |r| ok(r.take_sample(true, 5, 42)?)),
    ]);
}

#[test]
fn actions_that_order() {
    check(vec![
        exact("take_ordered", |r| ok(r.take_ordered(4)?), |p| text(sorted(p).iter().take(4).collect::<Vec<_>>())),
        exact(
            "take_ordered_by",
            |r| ok(r.take_ordered_by(4, |a, b| b.cmp(a))?),
            |p| text(sorted(p).iter().rev().take(4).collect::<Vec<_>>()),
        ),
        exact(
            "take_ordered_by_key",
            |r| ok(r.values().take_ordered_by_key(4, |n| n / 2)?.iter().map(|n| n / 2).collect::<Vec<_>>()),
            |p| {
                let mut numbers: Vec<u32> = numbers(p).iter().map(|n| n / 2).collect();
                numbers.sort();
                numbers.truncate(4);
                text(numbers)
            },
        ),
        exact("top", |r| ok(r.top(4)?), |p| text(sorted(p).iter().rev().take(4).collect::<Vec<_>>())),
        exact("top_by", |r| ok(r.top_by(4, |a, b| b.cmp(a))?), |p| text(sorted(p).iter().take(4).collect::<Vec<_>>())),
        exact(
            "top_by_key",
            |r| ok(r.top_by_key(1, |r| *r)?),
            |p| text(sorted(p).iter().rev().take(1).collect::<Vec<_>>()),
        ),
        exact("min", |r| ok(r.min()?), |p| text(sorted(p).first())),
        exact("min_by", |r| ok(r.min_by(|a, b| b.cmp(a))?), |p| text(sorted(p).last())),
        exact("max", |r| ok(r.max()?), |p| text(sorted(p).last())),
        exact("max_by", |r| ok(r.max_by(|a, b| b.cmp(a))?), |p| text(sorted(p).first())),
    ]);
}

#[test]
fn actions_that_add_up() {
    check(vec![
        exact("count", |r| ok(r.count()?), |p| text(all(p).len())),
        exact("is_empty", |r| ok(r.is_empty()?), |p| text(all(p).is_empty())),
        exact(
            "is_empty of what was filtered",
            |r| ok(r.filter(|r| r.1 > 15).is_empty()?),
            |p| text(!numbers(p).iter().any(|n| *n > 15)),
        ),
        exact(
            "reduce",
            |r| ok(r.values().reduce(|a, b| a + b)?),
            |p| text(numbers(p).into_iter().reduce(|a, b| a + b)),
        ),
        exact("fold", |r| ok(r.values().fold(0, |a, b| a + b)?), |p| text(sum(p))),
        exact(
            "aggregate",
            |r| ok(r.values().aggregate(String::new(), |t, n| t + &with_comma(n), |a, b| a + &b)?),
            |p| text(numbers(p).into_iter().map(with_comma).collect::<String>()),
        ),
        exact("tree_aggregate", |r| ok(r.values().tree_aggregate(0, |a, b| a + b, |a, b| a + b)?), |p| text(sum(p))),
        exact(
            "tree_aggregate_with_depth",
            |r| ok(r.repartition(9).values().tree_aggregate_with_depth(0, |a, b| a + b, |a, b| a + b, 3)?),
            |p| text(sum(p)),
        ),
        exact("tree_reduce", |r| ok(r.values().tree_reduce(u32::max)?), |p| text(numbers(p).iter().max())),
        exact(
            "tree_reduce_with_depth",
            |r| ok(r.repartition(9).values().tree_reduce_with_depth(u32::max, 3)?),
            |p| text(numbers(p).iter().max()),
        ),
        exact(
            "reduce_by_key_locally",
            |r| ok(map(r.map_values(with_comma).reduce_by_key_locally(|a, b| a + &b)?)),
            |p| text(joined(p)),
        ),
        exact("count_by_value", |r| ok(map(r.count_by_value()?)), |p| text(counts(all(p)))),
        exact("count_by_key", |r| ok(map(r.count_by_key()?)), |p| text(counts(all(p).iter().map(|r| r.0)))),
        exact("count_approx", |r| ok(r.count_approx(minutes(1), 0.9)?.mean), |p| text(all(p).len() as f64)),
        by_chance("count_approx_distinct", |r| ok(r.count_approx_distinct(0.05)?)),
        exact(
            "actions one behind the other",
            |r| {
                let (count, groups) = (r.count()?, r.group_by_key());
                let (different, most) = (groups.count()?, groups.map(|(_, values)| values.len()).max()?);
                ok((count, different, most, groups.keys().sort_by(|k| *k, false).take(2)?))
            },
            |p| {
                let keys = counts(all(p).iter().map(|r| r.0));
                text((all(p).len(), keys.len(), keys.values().max(), keys.keys().rev().take(2).collect::<Vec<_>>()))
            },
        ),
    ]);
}

#[test]
fn statistics() {
    check(vec![
        exact("sum", |r| ok(r.values().sum()?), |p| text(f64::from(sum(p)))),
        exact(
            "mean",
            |r| ok(r.values().mean()?.to_string()),
            |p| text((f64::from(sum(p)) / all(p).len() as f64).to_string()),
        ),
        by_chance("variance", |r| ok(r.values().variance()?.to_string())),
        by_chance("stdev", |r| ok(r.values().stdev()?.to_string())),
        exact(
            "stats",
            |r| {
                let stats = r.values().stats()?;
                ok((stats.count(), stats.sum().round()))
            },
            |p| text((all(p).len(), f64::from(sum(p)))),
        ),
        by_chance("histogram", |r| ok(r.values().histogram(3).map_err(|error| error.kind()))),
        exact(
            "histogram_within",
            |r| ok(r.values().histogram_within(&[0.0, 5.0, 20.0])?),
            |p| {
                let low = numbers(p).iter().filter(|n| **n < 5).count();
                text([low, all(p).len() - low])
            },
        ),
    ]);
}

#[test]
fn what_cannot_be_is_the_same_error() {
    fn kind<T>(result: Result<T>) -> Result<String> {
        ok(result.map(drop).map_err(|error| error.kind()))
    }
    let (refused, bad): (Model, Model) = (
        |_| text(Err::<(), _>(ErrorKind::Program)),
        |p| text(if all(p).is_empty() { Ok(()) } else { Err(ErrorKind::Data) }),
    );
    check(vec![
        exact("first of nothing", |r| kind(r.filter(|_| false).first()), |_| text(Err::<(), _>(ErrorKind::Data))),
        exact("with_partitions of what does not choose", |r| kind(r.keys().with_partitions(3).collect()), refused),
        exact("a histogram without buckets", |r| kind(r.keys().histogram(0)), refused),
        exact(
            "a panic",
            |r| {
                kind(
                    r.map(|r| {
                        if r.1 < 100 {
                            panic!("less")
                        }
                    })
                    .count(),
                )
            },
            bad,
        ),
        exact(
            "a panic behind a shuffle",
            |r| {
                kind(
                    r.repartition(2)
                        .map(|r| {
                            if r.1 < 100 {
                                panic!("less")
                            }
                        })
                        .count(),
                )
            },
            bad,
        ),
    ]);
}

/// Runs each action on the input in each shape, in both places, and compares the answers.
fn check(rows: Vec<Row>) {
    for shape in Shape::ALL {
        let inputs: Vec<Rdd<Pair>> = references(shape).into_iter().map(|(left, _)| left).collect();
        for Row { name, action, model } in &rows {
            let reference: Vec<String> = inputs.iter().map(|rdd| action(rdd).unwrap()).collect();
            if let Some(model) = model {
                let expected: Vec<_> = inputs.iter().map(|rdd| model(&rdd.collect_partitions().unwrap())).collect();
                assert_eq!(reference, expected, "{name} ({shape:?})");
            }
            check_in_streams(name, *action, shape, &reference);
        }
    }
}
fn check_in_streams(name: &str, action: Action, shape: Shape, reference: &[String]) {
    let build = move |left: DStream<Pair>, _: DStream<Pair>| {
        let steered = left.transform(move |rdd, _| {
            let answer = action(&rdd).unwrap();
            // What is made depends on the answer: a process with another one would not find its tasks.
            let steered = if answer.len().is_multiple_of(2) { rdd.repartition(answer.len() % 5 + 1) } else { rdd };
            steered.map_partitions(move |records| [(answer.clone(), records.count())])
        });
        (left, steered)
    };
    let in_outputs = [Arc::new(Mutex::new(Vec::new())), Arc::default()];
    let engine = std::cell::Cell::new(0);
    let outputs = |(left, steered): &(DStream<Pair>, DStream<(String, usize)>)| {
        let answers = in_outputs[engine.replace(1)].clone();
        left.foreach_rdd(move |rdd, _| answers.lock().unwrap().push(action(&rdd).unwrap()));
        steered.foreach_rdd(|rdd, _| rdd.count().map(drop));
    };
    let ran = on_both_engines(name, shape, build, outputs, |(left, steered)| {
        let sizes = batches(&left).into_iter().map(|rdd| rdd.count().unwrap() as usize);
        let steered = batches(&steered).into_iter().map(|rdd| rdd.collect().unwrap());
        sizes.zip(steered).collect::<Vec<_>>()
    });
    for ((engine, batches), in_output) in ran.into_iter().zip(in_outputs) {
        let place = format!("{name} ({shape:?}) on the {engine} engine");
        assert_eq!(*in_output.lock().unwrap(), reference, "{place}, in an output");
        assert_eq!(batches.len(), BATCHES as usize);
        for ((count, parts), reference) in batches.into_iter().zip(reference) {
            assert_eq!(parts.iter().map(|part| part.1).sum::<usize>(), count, "{place}");
            assert!(
                parts.iter().all(|part| part.0 == *reference),
                "{place}, inside transform: {parts:?}, not {reference}"
            );
        }
    }
}
