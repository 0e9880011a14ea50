//! Keyed state that has next to no memory: it lies on disk and says what it would say in memory, whatever fails.

use crate::stream_properties::case::cases;
use headwater::env::{Env, ManualClock};
use headwater::prelude::*;
use headwater::testkit::{SpillFault, TestEnv, temporary_folder, test_input};
use headwater::{Error, ErrorKind, Result};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

type Record = (String, u32);
/// What a program shows of itself: for each of its outputs a stream of texts.
type Program = fn(&DStream<Record>, Failures) -> Vec<DStream<String>>;

/// The batches whose first unlucky call has failed.
#[derive(Clone, Default)]
struct Failures(Option<Arc<Mutex<BTreeSet<Time>>>>);
impl Failures {
    fn some() -> Failures {
        Failures(Some(Arc::default()))
    }
    fn call(&self, time: Time, value: Option<u32>) {
        let fails = value.is_some_and(|value| value % 11 == 7);
        if let Some(failed) = self.0.as_ref().filter(|_| fails) {
            let first = failed.lock().unwrap().insert(time);
            assert!(!first, "the first try fails");
        }
    }
}

fn shown<K: headwater::Key + std::fmt::Debug, S: headwater::Data + std::fmt::Debug>(
    name: &'static str,
    stream: &DStream<(K, S)>,
) -> DStream<String> {
    stream.map(move |record| format!("{name} {record:?}"))
}

/// Sums that are read, removed and timed by what a record's value says, with a timeout.
fn mapped(records: &DStream<Record>, failures: Failures) -> Vec<DStream<String>> {
    let spec = StateSpec::function_with_time(move |now: Time, key: &String, value, sum: &mut State<(u32, String)>| {
        failures.call(now, value);
        let old = sum.get().cloned().unwrap_or_default();
        let why = if sum.is_timing_out() {
            "times out"
        } else if sum.is_timer() {
            "timer"
        } else {
            "record"
        };
        match value {
            None if sum.is_timing_out() => {}
            None => sum.update((old.0 + 1000, old.1.clone())),
            Some(value) => match value % 6 {
                0 if sum.exists() => sum.remove(),
                1 => sum.set_timer(now + seconds(u64::from(value % 5))),
                2 => sum.clear_timer(),
                3 => {}
                _ => sum.update((old.0 + value, "x".repeat(value as usize))),
            },
        }
        Some((key.clone(), (why.to_owned(), old)))
    });
    let stream = records.map_with_state(spec.timeout(seconds(3)));
    let snapshots = stream.state_snapshots();
    let window = snapshots.window((seconds(4), seconds(1)));
    vec![shown("mapped", &stream.stream()), shown("now", &snapshots), shown("window", &window)]
}

/// Sums, and for how many batches a key was idle: some forget it, and some go then.
fn aged(values: &[u32], state: Option<&(u32, u32)>) -> Option<(u32, u32)> {
    let (sum, idle) = *state.unwrap_or(&(0, 0));
    if values.is_empty() {
        let next = if sum % 3 == 0 { idle } else { idle + 1 };
        return Some((sum, next)).filter(|_| next < 4);
    }
    Some((sum + values.iter().sum::<u32>(), 0)).filter(|(sum, _)| sum % 7 != 0)
}
fn updated(records: &DStream<Record>, failures: Failures) -> Vec<DStream<String>> {
    let update = move |now: Time, _: &String, values: &[u32], state: Option<&(u32, u32)>| {
        values.iter().for_each(|value| failures.call(now, Some(*value)));
        aged(values, state)
    };
    updating(records, StateUpdate::function_with_time(update))
}
/// The same by a function of all keys of a partition.
fn updated_by_partition(records: &DStream<Record>, failures: Failures) -> Vec<DStream<String>> {
    type Keys<'a> = &'a mut dyn Iterator<Item = (String, Vec<u32>, Option<(u32, u32)>)>;
    let update = move |now: Time, keys: Keys<'_>| {
        let next = |(key, values, state): (String, Vec<u32>, Option<(u32, u32)>)| {
            values.iter().for_each(|value| failures.call(now, Some(*value)));
            aged(&values, state.as_ref()).map(|new| (key, new))
        };
        keys.filter_map(next).collect()
    };
    updating(records, StateUpdate::partition(update))
}
fn updating(records: &DStream<Record>, update: StateUpdate<String, u32, (u32, u32)>) -> Vec<DStream<String>> {
    let initial = (0..40).map(|n| (format!("k{n}"), (n, 0))).collect();
    let initial = records.context().parallelize::<(String, (u32, u32))>(initial, 2);
    let sums = records.update_state_by_key_with(update.initial_state(&initial));
    let window = sums.window((seconds(3), seconds(2)));
    vec![shown("now", &sums), shown("window", &window)]
}

/// A program that runs batch after batch.
struct Run {
    running: RunningContext,
    context: RddContext,
    clock: Arc<ManualClock>,
    batches: u64,
    seen: Receiver<(Time, Vec<String>)>,
}
impl Run {
    fn new(env: Env, clock: Arc<ManualClock>, conf: Conf, program: Program, failures: Failures, input: Input) -> Run {
        let ssc = StreamingContext::with_env(conf.master("local[2]"), seconds(1), env).unwrap();
        let records = test_input(&ssc, input.into_iter().map(Some).collect(), 2);
        let (sent, seen) = channel();
        for stream in program(&records, failures) {
            let sent = sent.clone();
            stream.foreach_rdd(move |rdd, time| rdd.collect().map(|records| sent.send((time, records)).unwrap()));
        }
        let context = ssc.context().clone();
        Run { running: ssc.start().unwrap(), context, clock, batches: 0, seen }
    }
    /// The next batch, which may fail: the first error, and what came out, sorted.
    fn batch(&mut self) -> (Option<Error>, BTreeMap<Time, Vec<String>>) {
        self.batches += 1;
        self.clock.advance(seconds(1));
        let mut first = None;
        // Each error is returned once, and the last one maybe only behind the end of the batch.
        while let error @ Some(_) = self.running.await_batches(self.batches).err() {
            first = first.or(error);
        }
        let mut all: BTreeMap<Time, Vec<String>> = BTreeMap::new();
        self.seen.try_iter().for_each(|(time, records)| all.entry(time).or_default().extend(records));
        all.values_mut().for_each(|records| records.sort());
        (first, all)
    }
}
type Input = Vec<Vec<Record>>;

fn on_test_env(memory: u64, program: Program, failures: Failures, input: Input) -> (Run, TestEnv) {
    let test = TestEnv::new();
    let conf = Conf::new().state_memory_max(memory);
    (Run::new(test.env(), test.clock.clone(), conf, program, failures, input), test)
}

fn input() -> impl Strategy<Value = Input> {
    let key = prop_oneof![(0..40u32).prop_map(|n| format!("k{n}")), (0..400u32).prop_map(|n| format!("key {n}"))];
    vec(vec((key, 0..30u32), 0..25), 1..12)
}

/// Both runs side by side, batch after batch; whether anything was spilled.
fn the_same(memory: u64, program: Program, failing: bool, input: Input) -> Result<bool, TestCaseError> {
    let failures = || if failing { Failures::some() } else { Failures::default() };
    let (mut plenty, untouched) = on_test_env(1 << 30, program, failures(), input.clone());
    let (mut scarce, test) = on_test_env(memory, program, failures(), input.clone());
    let mut spilled = false;
    for _ in 0..input.len() + 3 {
        let (expected, got) = (plenty.batch(), scarce.batch());
        prop_assert!(expected.0.is_none() && got.0.is_none(), "{:?} {:?}", expected.0, got.0);
        prop_assert_eq!(expected.1, got.1, "batch {}", plenty.batches);
        let (expected, got) = (plenty.context.state_status(), scarce.context.state_status());
        prop_assert_eq!((expected.keys, expected.spilled_keys), (got.keys, 0));
        spilled |= got.spilled_keys > 0 && test.spill.records() > 0;
    }
    prop_assert_eq!(untouched.spill.tables(), 0);
    Ok(spilled)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn map_with_state_says_the_same(memory in 0..3000u64, failing in any::<bool>(), input in input()) {
        the_same(memory, mapped, failing, input)?;
    }

    #[test]
    fn update_state_by_key_says_the_same(memory in 0..3000u64, failing in any::<bool>(), input in input()) {
        let spilled = the_same(memory, updated, failing, input)?;
        prop_assert!(spilled, "40 keys of the beginning have no room in {} bytes", memory);
    }

    #[test]
    fn a_function_of_partitions_says_the_same(memory in 0..3000u64, failing in any::<bool>(), input in input()) {
        the_same(memory, updated_by_partition, failing, input.clone())?;
        let (mut by_key, _) = on_test_env(1 << 30, updated, Failures::default(), input.clone());
        let (mut by_partition, _) = on_test_env(memory, updated_by_partition, Failures::default(), input.clone());
        for _ in 0..input.len() {
            prop_assert_eq!(by_key.batch().1, by_partition.batch().1);
        }
    }

    /// Whatever the disk does, a batch that failed is made up for by the next one.
    #[test]
    fn nothing_is_lost_to_the_disk(
        memory in 0..2000u64,
        by_map in any::<bool>(),
        input in input(),
        faults in vec(prop::option::of(fault()), 1..12),
    ) {
        let program = if by_map { mapped as Program } else { updated };
        let (mut plenty, _) = on_test_env(1 << 30, program, Failures::default(), input.clone());
        let (mut scarce, test) = on_test_env(memory, program, Failures::default(), input.clone());
        for fault in faults.iter().chain([&None; 4]) {
            test.spill.set(fault.unwrap_or(SpillFault::None));
            let ((_, expected), (error, got)) = (plenty.batch(), scarce.batch());
            if let Some(error) = error {
                prop_assert!(fault.is_some(), "{}", error);
                prop_assert_eq!(error.kind(), ErrorKind::Outside);
                prop_assert!(error.to_string().contains("of state on disk: the test says so"), "{}", error);
            } else {
                prop_assert_eq!(got, expected, "batch {}", plenty.batches);
            }
        }
    }
}

fn fault() -> impl Strategy<Value = SpillFault> {
    prop_oneof![Just(SpillFault::Open), Just(SpillFault::Read), (0..60usize).prop_map(SpillFault::WriteAfter)]
}

/// A thousand keys that come again and again, and others that come once.
fn many() -> Input {
    let key = |n: u32| (format!("key {}", n % 1000), n % 30);
    (0..12u32).map(|batch| (0..400).map(|n| key(batch * 7919 + n * n)).collect()).collect()
}

#[test]
fn the_local_disk_says_the_same() {
    for program in [mapped as Program, updated] {
        let (test, folder) = (TestEnv::new(), temporary_folder());
        let conf = Conf::new().state_memory_max(10_000).local_dir(folder.to_string());
        let env = Env { spill: headwater::system_env().spill, ..test.env() };
        let mut scarce = Run::new(env, test.clock.clone(), conf, program, Failures::some(), many());
        let (mut plenty, _) = on_test_env(1 << 30, program, Failures::some(), many());
        for batch in 0..16 {
            let (expected, got) = (plenty.batch(), scarce.batch());
            assert!(got.0.is_none(), "{:?}", got.0);
            assert!(expected.1 == got.1, "batch {batch}");
            let status = scarce.context.state_status();
            // In the first batch neither partition may have seen yet what the other takes.
            assert!(!(1..=11).contains(&batch) || status.spilled_keys > 10, "{status:?}");
        }
        drop(scarce);
        assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), 0, "tables go with the program");
    }
}

#[test]
fn a_disk_that_is_full_is_named_once_and_loses_nothing() {
    let (mut run, test) = on_test_env(0, mapped, Failures::default(), vec![vec![("a".into(), 5)]; 4]);
    assert!(run.batch().0.is_none());
    let status = run.context.state_status();
    assert_eq!((status.keys, status.spilled_keys, status.disk_bytes > 0), (1, 1, true));
    test.spill.set(SpillFault::WriteAfter(0));
    let (error, _) = run.batch();
    let error = error.expect("there is no room, neither in memory nor on disk");
    assert_eq!(error.kind(), ErrorKind::Outside);
    for part in ["cannot write the table of map_with_state-", "of state on disk", "failed 4 times"] {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
    test.spill.set(SpillFault::None);
    let (error, got) = run.batch();
    assert!(error.is_none(), "{error:?}");
    assert_eq!(got[&Time::from_millis(3000)][0], r#"mapped ("a", ("record", (10, "xxxxx")))"#);
}

/// What is used in each batch stays in memory, whoever comes and goes besides: nothing is read for it.
#[test]
fn what_is_used_stays_in_memory() {
    let sums = |records: &DStream<Record>, _| {
        let spec = StateSpec::function(|_: &String, value: Option<u32>, sum: &mut State<u32>| {
            sum.update(sum.get().unwrap_or(&0) + value.unwrap_or(0));
        });
        vec![records.map_with_state(spec).map(|()| String::new())]
    };
    let hot = || (0..20u32).map(|n| (format!("hot {n}"), 5));
    let passing = |batch| (0..100).map(move |n| (format!("{batch} {n}"), 4));
    let mut input: Input = (0..20).map(|batch| hot().chain(passing(batch)).collect()).collect();
    // Until nobody reads a version any more from which entries went to disk.
    input.extend(vec![vec![]; 5]);
    input.extend([hot().collect(), passing(0).collect()]);
    let (mut run, test) = on_test_env(80_000, sums, Failures::default(), input);
    for _ in 0..25 {
        assert!(run.batch().0.is_none());
    }
    let status = run.context.state_status();
    assert!(status.keys == 2020 && status.spilled_keys > 1000, "{status:?}");
    test.spill.set(SpillFault::Read);
    let (used, others) = (run.batch().0, run.batch().0);
    assert!(used.is_none(), "{used:?}");
    assert!(others.expect("they are on disk").to_string().contains("cannot read the table"));
}

/// A type that is written and not read back must not leave the memory: it would be lost.
#[test]
fn a_state_that_does_not_read_back_stays_in_memory_and_is_named() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Skipping {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        count: u32,
    }
    let counts = |records: &DStream<Record>, _| {
        let spec = StateSpec::function(|_: &String, _: Option<u32>, state: &mut State<Skipping>| {
            let count = state.get().map_or(0, |known| known.count) + 1;
            state.update(Skipping { name: None, count });
            count.to_string()
        });
        vec![records.map_with_state(spec).stream()]
    };
    let (mut run, test) = on_test_env(0, counts, Failures::default(), vec![vec![("a".into(), 1)]; 2]);
    let error = run.batch().0.expect("it has no room in memory").to_string();
    assert!(error.contains("Skipping") && error.contains("state_memory_max") && error.contains("flatten"), "{error}");
    assert_eq!(test.spill.records(), 0);
}

/// A budget is for all together: who needs much of it has what idle ones leave.
#[test]
fn an_idle_state_leaves_its_share() {
    let sums = |records: &DStream<Record>, _| {
        let sums = |keys: DStream<Record>| {
            let spec = StateSpec::function(|key: &String, value: Option<u32>, sum: &mut State<u32>| {
                sum.update(sum.get().unwrap_or(&0) + value.unwrap_or(0));
                key.clone()
            });
            keys.map_with_state(spec).stream()
        };
        let idle = (0..9).map(|_| sums(records.filter(|_| false)));
        idle.chain([sums(records.clone())]).collect()
    };
    let keys = || (0..1000).map(|n| (format!("a key of some length, {n}"), 1)).collect();
    let (mut run, _) = on_test_env(200_000, sums, Failures::default(), vec![keys(); 3]);
    for _ in 0..3 {
        assert!(run.batch().0.is_none());
    }
    let status = run.context.state_status();
    assert!(status.keys == 1000 && status.spilled_keys == 0, "{status:?}");
    assert!((50_000..200_000).contains(&status.memory_bytes), "its share would be 20,000: {status:?}");
}
