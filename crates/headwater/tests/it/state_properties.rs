//! State beside a recomputation from the whole history with plain maps, on random records in random batches, partitions
//! and numbers of threads, on both engines.

use crate::stream_properties::case::cases;
use headwater::prelude::*;
use headwater::testkit::{Check, IsolatedProgram};
use headwater::{Data, RddContext};
use proptest::array::uniform4;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A key, and what its function is to do.
type Pair = (u8, u8);
/// Of keys 0 to 3, in a form that a program can capture.
type Initial = [Option<i64>; 4];

/// The batches, the numbers of partitions of the input and of the state, and of threads or workers.
#[derive(Clone, Debug)]
struct Case {
    batches: Vec<Option<Vec<Pair>>>,
    from: usize,
    to: usize,
    threads: usize,
}

fn pair() -> impl Strategy<Value = Pair> + Clone {
    (0..6u8, any::<u8>())
}
fn case() -> impl Strategy<Value = Case> {
    let batch = prop_oneof![
        2 => Just(None),
        3 => Just(Some(vec![])),
        12 => vec(pair(), 0..12).prop_map(Some),
    ];
    let case = (vec(batch, 1..12), 1..=4usize, prop_oneof![1..=5usize, Just(7)], 1..=3usize);
    case.prop_map(|(batches, from, to, threads)| Case { batches, from, to, threads })
}
fn initial() -> impl Strategy<Value = Initial> {
    uniform4(option::of(0..100i64))
}
fn states(initial: Initial) -> impl Iterator<Item = (u8, i64)> {
    (0..4u8).zip(initial).filter_map(|(key, state)| Some((key, state?)))
}
fn rdd(context: &RddContext, initial: Initial) -> Rdd<(u8, i64)> {
    context.parallelize(states(initial).collect(), 2)
}

impl Case {
    /// What each batch of `program` holds is `expected`, in whatever order.
    #[track_caller]
    fn check<U: Data + Ord + Debug>(
        &self,
        program: impl Fn(DStream<Pair>) -> DStream<U> + IsolatedProgram,
        mut expected: Vec<Vec<U>>,
    ) {
        expected.iter_mut().for_each(|batch| batch.sort());
        let check = Check::new().input_partitions(self.from).threads(self.threads).on_both_engines();
        for (engine, got) in ["local", "isolated"].into_iter().zip(check.outputs(self.batches.clone(), program)) {
            let got = got.unwrap_or_else(|error| panic!("the program failed on the {engine} engine: {error}"));
            let sorted = got.into_iter().map(|batch| {
                let mut batch = batch.expect("state has an RDD in every batch");
                batch.sort();
                batch
            });
            assert_eq!(sorted.collect::<Vec<_>>(), expected, "on the {engine} engine");
        }
    }
}

/// The order of values counts, idle keys go after two batches, and some values remove their key.
fn update(time: Time, key: &u8, values: &[u8], state: Option<&(i64, u32)>) -> Option<(i64, u32)> {
    let (mut digest, idle) = state.copied().unwrap_or((time.milliseconds() + i64::from(*key), 0));
    if values.is_empty() {
        return (idle < 2).then_some((digest, idle + 1));
    }
    for value in values {
        digest = (digest * 31 + i64::from(*value)) % 1_000_003;
    }
    (values.len() > 4 || !values[0].is_multiple_of(5)).then_some((digest, 0))
}

/// What a call of the function of `map_with_state` was told, and what it found: the value, the state, whether the timer
/// fired, and whether the key timed out.
type Call = (u8, i64, Option<u8>, Option<i64>, bool, bool);

/// What a value asks for.
#[derive(Clone, Copy, PartialEq)]
enum Wish {
    Remove,
    Look,
    Timer(i64),
    NoTimer,
    Update,
}
fn wish(value: u8) -> Wish {
    match value % 12 {
        0 | 1 => Wish::Remove,
        2 => Wish::Look,
        3 | 4 => Wish::Timer(1000 * i64::from(value / 12 % 6) - 1000),
        5 => Wish::NoTimer,
        _ => Wish::Update,
    }
}
fn updated(state: Option<i64>, value: u8) -> i64 {
    (state.unwrap_or(1) * 31 + i64::from(value)) % 1_000_003
}
/// What a key does when its timer fires: it goes, sets the next one, or counts.
fn ticked(state: i64) -> Wish {
    match state % 3 {
        0 => Wish::Remove,
        1 => Wish::Timer(1000),
        _ => Wish::Update,
    }
}

fn map(time: Time, key: &u8, value: Option<u8>, state: &mut State<i64>) -> Option<Call> {
    let before = state.get().copied();
    let call = (*key, time.milliseconds(), value, before, state.is_timer(), state.is_timing_out());
    let wish = match value {
        Some(value) => wish(value),
        None if state.is_timing_out() => Wish::Look,
        None => ticked(before?),
    };
    match wish {
        Wish::Look => {}
        Wish::Remove => state.remove(),
        Wish::Timer(after) => {
            state.set_timer(Time::from_millis(time.milliseconds() + after));
            if !state.exists() {
                state.update(7);
            }
        }
        Wish::NoTimer => state.clear_timer(),
        Wish::Update => state.update(updated(before, value.unwrap_or(0))),
    }
    Some(call)
}

/// The state of a key, when it was touched and when its timer fires.
#[derive(Clone, Copy)]
struct Entry {
    state: i64,
    touched: i64,
    timer: Option<i64>,
}
#[derive(Default)]
struct Model {
    entries: BTreeMap<u8, Entry>,
    calls: Vec<Call>,
}
impl Model {
    /// A call for `key` does what `wish` says.
    fn apply(&mut self, key: u8, wish: Wish, value: u8, now: i64, touched: i64) {
        let old = self.entries.get(&key).copied();
        let entry = old.map(|old| Entry { touched, ..old });
        let with = |state| Entry { state, touched, timer: old.and_then(|old| old.timer) };
        let entry = match wish {
            Wish::Remove => None,
            Wish::Look => entry,
            Wish::NoTimer => entry.map(|entry| Entry { timer: None, ..entry }),
            // In the first batch behind this one, at the earliest.
            Wish::Timer(after) => Some(Entry { timer: Some(now + after.max(1)), ..entry.unwrap_or(with(7)) }),
            Wish::Update => Some(with(updated(old.map(|old| old.state), value))),
        };
        match entry {
            Some(entry) => drop(self.entries.insert(key, entry)),
            None => drop(self.entries.remove(&key)),
        }
    }
    fn batch(&mut self, now: i64, records: &[Pair], timeout: Option<i64>) {
        self.calls.clear();
        for (key, value) in records {
            let before = self.entries.get(key).map(|entry| entry.state);
            self.calls.push((*key, now, Some(*value), before, false, false));
            self.apply(*key, wish(*value), *value, now, now);
        }
        for (key, Entry { state, touched, timer }) in self.entries.clone() {
            if timeout.is_some_and(|timeout| touched < now - timeout) {
                self.calls.push((key, now, None, Some(state), false, true));
                self.entries.remove(&key);
            } else if timer.is_some_and(|timer| timer <= now) {
                self.calls.push((key, now, None, Some(state), true, false));
                self.entries.get_mut(&key).expect("it is there").timer = None;
                self.apply(key, ticked(state), 0, now, touched);
            }
        }
    }
}

/// Calls and snapshots of one batch come out as one stream.
type Seen = (Option<Call>, Option<(u8, i64)>);

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn update_state_by_key_is_what_the_whole_history_makes(case in case(), initial in initial(), by_number in any::<bool>()) {
        let to = case.to;
        let program = move |s: DStream<Pair>| {
            let states = rdd(s.context(), initial).map_values(|state| (state, 0));
            let update = StateUpdate::function_with_time(update).initial_state(&states);
            let updated = s.update_state_by_key_with(update);
            if by_number { updated.with_partitions(to) } else { updated.with_partitioner(ByRemainder(to)) }
        };
        let mut now: BTreeMap<u8, (i64, u32)> = states(initial).map(|(key, state)| (key, (state, 0))).collect();
        let expected = case.batches.iter().zip(1..).map(|(batch, number)| {
            let mut values: BTreeMap<u8, Vec<u8>> = now.keys().map(|key| (*key, vec![])).collect();
            batch.iter().flatten().for_each(|(key, value)| values.entry(*key).or_default().push(*value));
            let time = Time::from_millis(1000 * number);
            let updated = values.iter().filter_map(|(key, values)| Some((*key, update(time, key, values, now.get(key))?)));
            now = updated.collect();
            now.clone().into_iter().collect()
        });
        case.check(program, expected.collect());
    }

    #[test]
    fn map_with_state_is_what_the_whole_history_makes(
        case in case(), initial in initial(), timeout in option::of(0..5i64), by_number in any::<bool>()
    ) {
        let to = case.to;
        let program = move |s: DStream<Pair>| {
            let spec = StateSpec::function_with_time(map).initial_state(&rdd(s.context(), initial));
            let spec = if by_number { spec.num_partitions(to) } else { spec.partitioner(ByRemainder(to)) };
            let spec = match timeout {
                Some(seconds_idle) => spec.timeout(seconds(seconds_idle as u64)),
                None => spec,
            };
            let mapped = s.map_with_state(spec);
            let snapshots = mapped.state_snapshots().map(|entry| -> Seen { (None, Some(entry)) });
            mapped.map(|call| -> Seen { (Some(call), None) }).union(&snapshots)
        };
        let mut model = Model::default();
        model.entries.extend(states(initial).map(|(key, state)| (key, Entry { state, touched: 1000, timer: None })));
        let expected = case.batches.iter().zip(1..).map(|(batch, number)| {
            model.batch(1000 * number, batch.as_deref().unwrap_or(&[]), timeout.map(|timeout| 1000 * timeout));
            let entries = model.entries.iter().map(|(key, entry)| (None, Some((*key, entry.state))));
            model.calls.iter().map(|call| (Some(*call), None)).chain(entries).collect()
        });
        case.check(program, expected.collect());
    }

    /// A window reads versions of the state that are not the newest.
    #[test]
    fn windows_over_state_read_what_it_was(case in case(), length in 1..4u64, slide in 1..4u64) {
        let to = case.to;
        let program = move |s: DStream<Pair>| {
            let spec = StateSpec::function_with_time(map).num_partitions(to).timeout(seconds(1));
            let snapshots = s.map_with_state(spec).state_snapshots();
            let updated = s.update_state_by_key_with(StateUpdate::function_with_time(update)).with_partitions(to);
            let updated = updated.map_values(|(digest, _)| -digest);
            snapshots.union(&updated).window((seconds(length), seconds(slide)))
        };
        let (mut model, mut digests) = (Model::default(), BTreeMap::<u8, (i64, u32)>::new());
        let batches: Vec<Vec<(u8, i64)>> = case.batches.iter().zip(1..).map(|(batch, number)| {
            let batch = batch.as_deref().unwrap_or(&[]);
            model.batch(1000 * number, batch, Some(1000));
            let mut values: BTreeMap<u8, Vec<u8>> = digests.keys().map(|key| (*key, vec![])).collect();
            batch.iter().for_each(|(key, value)| values.entry(*key).or_default().push(*value));
            let time = Time::from_millis(1000 * number);
            digests = values.iter().filter_map(|(k, values)| Some((*k, update(time, k, values, digests.get(k))?))).collect();
            let digests = digests.iter().map(|(key, (digest, _))| (*key, -digest));
            model.entries.iter().map(|(key, entry)| (*key, entry.state)).chain(digests).collect()
        }).collect();
        let (length, slide) = (length as usize, slide as usize);
        let ends = (slide..=batches.len()).step_by(slide);
        let expected: Vec<Vec<(u8, i64)>> =
            ends.map(|end| batches[end.saturating_sub(length)..end].concat()).collect();
        let check = Check::new().input_partitions(case.from).threads(case.threads).on_both_engines();
        for got in check.outputs(case.batches.clone(), program) {
            let got: Vec<_> = got.unwrap().into_iter().flatten().collect();
            prop_assert_eq!(got.len(), expected.len());
            for (mut got, mut expected) in got.into_iter().zip(expected.clone()) {
                got.sort();
                expected.sort();
                prop_assert_eq!(got, expected);
            }
        }
    }

    /// A function that does not depend on the order leaves the same state, however the records are cut into batches.
    #[test]
    fn the_last_state_does_not_depend_on_the_cut(
        records in vec(pair(), 0..60), cuts in vec(any::<prop::sample::Index>(), 0..8), to in 1..=7usize
    ) {
        let program = move |s: DStream<Pair>| {
            let spec = StateSpec::function(|_: &u8, value: Option<u8>, state: &mut State<(i64, u8)>| {
                let (sum, most) = state.get().copied().unwrap_or_default();
                let value = value.expect("nothing is due");
                state.update((sum + i64::from(value), most.max(value)));
            });
            let mapped = s.map_with_state(spec.num_partitions(to)).state_snapshots();
            let updated = s.update_state_by_key(|values: &[u8], state: Option<&(i64, u8)>| {
                let (sum, most) = state.copied().unwrap_or_default();
                let values = values.iter();
                Some((sum + values.clone().map(|n| i64::from(*n)).sum::<i64>(), values.fold(most, |most, n| most.max(*n))))
            });
            mapped.map(|entry| (false, entry)).union(&updated.map(|entry| (true, entry)))
        };
        let mut totals = BTreeMap::<u8, (i64, u8)>::new();
        for (key, value) in &records {
            let (sum, most) = totals.entry(*key).or_default();
            (*sum, *most) = (*sum + i64::from(*value), (*most).max(*value));
        }
        let expected: Vec<_> = [false, true].into_iter().flat_map(|of| totals.iter().map(move |(k, t)| (of, (*k, *t)))).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(records.len() + 1)).chain([0, records.len()]).collect();
        cuts.sort();
        let batches = cuts.windows(2).map(|ends| Some(records[ends[0]..ends[1]].to_vec()));
        for got in Check::new().on_both_engines().outputs(batches, program) {
            let mut last = got.unwrap().pop().flatten().expect("there is a state");
            last.sort();
            prop_assert_eq!(&last, &expected);
        }
    }
}

/// A partitioner of a user's own.
#[derive(PartialEq, Clone, Copy)]
struct ByRemainder(usize);
impl headwater::Partitioner<u8> for ByRemainder {
    fn num_partitions(&self) -> usize {
        self.0
    }
    fn partition(&self, key: &u8) -> usize {
        usize::from(*key) % self.0
    }
}
