//! A row of the tables of operations that yield a dataset, how one is checked, and what their models have in common.

use super::harness::{Pair, Parts, Shape, batches, on_both_engines, references, texts};
use headwater::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Program = fn(&Rdd<Pair>, &Rdd<Pair>) -> Rdd<String>;
pub(super) type Model = fn(&Parts, &Parts) -> Vec<String>;

pub(super) struct Row {
    name: &'static str,
    program: Program,
    model: Option<Model>,
    in_order: bool,
}
/// An operation that defines the order of its records.
pub(super) fn in_order(name: &'static str, program: Program, model: Model) -> Row {
    Row { name, program, model: Some(model), in_order: true }
}
pub(super) fn in_any_order(name: &'static str, program: Program, model: Model) -> Row {
    Row { name, program, model: Some(model), in_order: false }
}
/// An operation that picks by chance: it gives the same as without a stream.
pub(super) fn by_chance(name: &'static str, program: Program) -> Row {
    Row { name, program, model: None, in_order: true }
}

pub(super) fn all(parts: &Parts) -> impl Iterator<Item = Pair> + Clone {
    parts.iter().flatten().copied()
}
pub(super) fn values(parts: &Parts) -> BTreeMap<u32, Vec<u32>> {
    let mut values = BTreeMap::<u32, Vec<u32>>::new();
    all(parts).for_each(|(key, value)| values.entry(key).or_default().push(value));
    values
}
/// `of` of the values of each key.
pub(super) fn each<V: std::fmt::Debug>(parts: &Parts, of: impl Fn(&[u32]) -> V) -> Vec<String> {
    texts(values(parts).into_iter().map(|(key, values)| (key, of(&values))))
}
pub(super) fn sums(parts: &Parts) -> Vec<String> {
    each(parts, |values| values.iter().sum::<u32>())
}
pub(super) fn joined_text(values: &[u32]) -> String {
    values.iter().map(|value| format!("{value},")).collect()
}
/// The values of each key of either side.
pub(super) fn both(l: &Parts, r: &Parts) -> Vec<(u32, Vec<u32>, Vec<u32>)> {
    let (l, r) = (values(l), values(r));
    let keys: BTreeSet<u32> = l.keys().chain(r.keys()).copied().collect();
    let of = |side: &BTreeMap<u32, Vec<u32>>, key| side.get(key).cloned().unwrap_or_default();
    keys.iter().map(|key| (*key, of(&l, key), of(&r, key))).collect()
}
pub(super) fn optional(values: &[u32]) -> Vec<Option<u32>> {
    if values.is_empty() { vec![None] } else { values.iter().copied().map(Some).collect() }
}
pub(super) fn pairs<V: Copy, W: Copy>(key: u32, left: &[V], right: &[W]) -> Vec<(u32, (V, W))> {
    left.iter().flat_map(|v| right.iter().map(move |w| (key, (*v, *w)))).collect()
}
pub(super) fn sorted(parts: &Parts, ascending: bool) -> Vec<String> {
    let mut records: Vec<Pair> = all(parts).collect();
    records.sort_by(|l, r| if ascending { l.0.cmp(&r.0) } else { r.0.cmp(&l.0) });
    texts(records)
}
/// The records of each of `n` partitions, in the order of their arrival.
pub(super) fn placed(parts: &Parts, n: usize, place: impl Fn(usize, usize, &Pair) -> usize) -> Parts {
    let mut placed = vec![Vec::new(); n];
    for (map, part) in parts.iter().enumerate() {
        part.iter().enumerate().for_each(|(number, record)| placed[place(map, number, record)].push(*record));
    }
    placed
}
pub(super) fn indexed(parts: &Parts) -> impl Iterator<Item = (usize, Pair)> {
    parts.iter().enumerate().flat_map(|(index, part)| part.iter().map(move |record| (index, *record)))
}
pub(super) fn less<E>(value: u32, error: E) -> Result<u32, E> {
    if value < 1000 { Ok(value + 1) } else { Err(error) }
}

fn sorted_texts(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Runs each operation on the inputs in each shape, in three ways, and compares what comes out.
pub(super) fn check(rows: Vec<Row>) {
    for shape in Shape::ALL {
        let references = references(shape);
        for row in &rows {
            check_row(row, shape, &references);
        }
    }
}
fn check_row(row: &Row, shape: Shape, references: &[(Rdd<Pair>, Rdd<Pair>)]) {
    let Row { name, program, model, in_order } = *row;
    let arranged = |texts: Vec<String>| if in_order { texts } else { sorted_texts(texts) };
    let collect = |rdd: Rdd<String>| rdd.collect().unwrap_or_else(|error| panic!("{name} ({shape:?}): {error}"));
    let reference: Vec<_> = references.iter().map(|(l, r)| collect(program(l, r))).collect();
    if let Some(model) = model {
        let parts = |rdd: &Rdd<Pair>| rdd.collect_partitions().unwrap();
        let expected = references.iter().map(|(l, r)| arranged(model(&parts(l), &parts(r))));
        let reference: Vec<_> = reference.iter().map(|texts| arranged(texts.clone())).collect();
        assert_eq!(reference, expected.collect::<Vec<_>>(), "{name} ({shape:?})");
    }
    let build = move |left: DStream<Pair>, right: DStream<Pair>| Streams {
        made: left.transform_with(&right, move |l, r, _| program(&l, &r)),
        left,
        right,
    };
    let output = |streams: &Streams| drop(streams.made.foreach_rdd(|rdd, _| rdd.count().map(drop)));
    let ran = on_both_engines(name, shape, build, output, |streams| {
        let in_transform: Vec<_> = batches(&streams.made).into_iter().map(collect).collect();
        let inputs = batches(&streams.left).into_iter().zip(batches(&streams.right));
        let on_driver: Vec<_> = inputs.map(|(l, r)| collect(program(&l, &r))).collect();
        [("inside transform", in_transform), ("on the driver", on_driver)]
    });
    // Also where the order is not defined, the engines agree on it: what depends on a record's place can be computed
    // again anywhere.
    for (engine, ways) in ran {
        for (way, got) in ways {
            assert_eq!(got, reference, "{name} ({shape:?}) {way} of the {engine} engine");
        }
    }
}
struct Streams {
    left: DStream<Pair>,
    right: DStream<Pair>,
    made: DStream<String>,
}
