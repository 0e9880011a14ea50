//! Streams with state and what reads them: several outputs, windows, slices, other states; how they are spread, and what
//! they begin with.

use crate::contexts::{batches_of, on_both_engines};
use headwater::prelude::*;
use headwater::testkit::{Check, TestEnv, check_on_both_engines as check, streaming_context, test_input};
use headwater::{Data, HashPartitioner, Partitioner};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

type Count = (u32, u32);

fn sums(s: &DStream<Count>) -> DStream<Count> {
    s.update_state_by_key(|values: &[u32], sum: Option<&u32>| Some(sum.unwrap_or(&0) + values.iter().sum::<u32>()))
}
fn add(_: Time, key: &u32, value: Option<u32>, sum: &mut State<u32>) -> Option<Count> {
    let new = sum.get().unwrap_or(&0) + value.unwrap_or(0);
    sum.update(new);
    Some((*key, new))
}
fn adding() -> StateSpec<u32, u32, u32, Count> {
    StateSpec::function_with_time(add)
}
fn sorted<T: Ord>(mut records: Vec<T>) -> Vec<T> {
    records.sort();
    records
}
fn ones(keys: u32, batches: usize) -> Vec<Option<Vec<Count>>> {
    vec![Some(all(keys, 1)); batches]
}
fn all(keys: u32, n: u32) -> Vec<Count> {
    (0..keys).map(|key| (key, n)).collect()
}

#[test]
fn all_outputs_read_the_same_batch_of_state() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let build = |ssc: &StreamingContext| {
        let spec = StateSpec::function_with_time(|time, key: &u32, value, sum: &mut State<u32>| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            add(time, key, value, sum)
        });
        let mapped = test_input(ssc, ones(20, 5), 2).map_with_state(spec);
        let (first, second) = (mapped.state_snapshots(), mapped.state_snapshots());
        [mapped.stream(), mapped.map(|count| count), first, second.filter(|_| true)]
    };
    for built in on_both_engines(build) {
        CALLS.store(0, Ordering::Relaxed);
        let (sent, received) = channel();
        for stream in &built.result {
            let sent = sent.clone();
            stream.foreach_rdd(move |rdd, time| {
                // Two actions in each output.
                assert_eq!(rdd.count().unwrap(), 20);
                sent.send((time.milliseconds() / 1000, sorted(rdd.collect().unwrap()))).unwrap();
            });
        }
        let _running = built.run(5);
        let seen: Vec<_> = received.try_iter().collect();
        assert_eq!(seen.len(), 20);
        seen.into_iter().for_each(|(batch, records)| assert_eq!(records, all(20, batch as u32)));
        assert_eq!(CALLS.load(Ordering::Relaxed), 100);
    }
}

/// Jobs of several batches run at the same time, each behind the state of the batch before.
#[test]
fn concurrent_jobs_do_not_mix_up_batches() {
    let env = TestEnv::new();
    let conf = Conf::new().master("local[3]").concurrent_jobs(4);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let s = test_input(&ssc, ones(30, 60), 2);
    let mapped = s.map_with_state(adding().num_partitions(3));
    let (sent, received) = channel();
    let streams = [mapped.stream(), mapped.state_snapshots(), sums(&s), sums(&mapped.map(|(key, _)| (key, 1)))];
    for (number, stream) in streams.iter().enumerate() {
        let sent = sent.clone();
        stream
            .filter(|_| true)
            .foreach_rdd(move |rdd, time| sent.send((number, time, sorted(rdd.collect().unwrap()))).unwrap());
    }
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(60));
    running.await_batches(60).unwrap();
    let seen: BTreeMap<_, _> = received.try_iter().map(|(number, time, records)| ((number, time), records)).collect();
    assert_eq!(seen.len(), 240);
    for ((number, time), records) in seen {
        assert_eq!(records, all(30, time.milliseconds() as u32 / 1000), "stream {number} at {time}");
    }
}

/// What is read is the state of each batch of the window, though it has gone on since.
#[test]
fn windows_that_slide_in_longer_steps_read_old_versions() {
    let input = || ones(3, 9).into_iter().flatten();
    let window = |batches: &[u32]| batches.iter().flat_map(|n| all(3, *n)).collect::<Vec<_>>();
    let expected = [window(&[2, 3]), window(&[5, 6]), window(&[8, 9])];
    let last_two_of_three = (seconds(2), seconds(3));
    check(input(), move |s| sums(&s).window(last_two_of_three), expected.clone());
    check(input(), move |s| s.map_with_state(adding()).state_snapshots().window(last_two_of_three), expected.clone());
    check(input(), move |s| s.map_with_state(adding()).window(last_two_of_three), expected.clone());
    let kept_nowhere = move |s: DStream<Count>| {
        let snapshots = s.map_with_state(adding()).state_snapshots();
        snapshots.window(last_two_of_three).persist(StorageLevel::NONE)
    };
    check(input(), kept_nowhere, expected);
    let overlapping = [window(&[1, 2]), window(&[1, 2, 3, 4]), window(&[3, 4, 5, 6]), window(&[5, 6, 7, 8])];
    check(input(), |s| sums(&s).window((seconds(4), seconds(2))), overlapping);
}

#[test]
fn a_stream_that_is_kept_still_has_snapshots() {
    for level in [StorageLevel::MEMORY_ONLY, StorageLevel::MEMORY_AND_DISK_SER] {
        let program = move |s: DStream<Count>| {
            let mapped = s.map_with_state(adding());
            let snapshots = mapped.persist(level).union(&mapped.state_snapshots());
            snapshots.window((seconds(2), seconds(2)))
        };
        let twice = |n| all(3, n).into_iter().chain(all(3, n)).collect::<Vec<_>>();
        let expected = [[twice(1), twice(2)].concat(), [twice(3), twice(4)].concat()];
        check(ones(3, 4).into_iter().flatten(), program, expected);
    }
}

/// Batches of state that wait for a reader that comes every 50th batch only.
#[test]
fn a_state_that_is_read_every_50th_batch() {
    let build = |ssc: &StreamingContext| {
        let s = test_input(ssc, ones(3, 150), 2);
        let snapshots = s.map_with_state(adding()).state_snapshots();
        sums(&s).union(&snapshots).window((seconds(1), seconds(50)))
    };
    for batches in batches_of(150, build) {
        for (number, batch) in (1..).zip(batches) {
            let expected = (number % 50 == 0).then(|| sorted([all(3, number), all(3, number)].concat()));
            assert_eq!(batch.map(sorted), expected, "batch {number}");
        }
    }
}

/// Nothing of what a batch needed stays behind with those that follow, on either engine.
#[test]
fn hundreds_of_batches() {
    let build = |ssc: &StreamingContext| {
        let s = test_input(ssc, ones(3, 250), 2);
        sums(&s).union(&s.map_with_state(adding().num_partitions(5)).state_snapshots())
    };
    for batches in batches_of(250, build) {
        for (number, batch) in (1..).zip(batches) {
            assert_eq!(batch.map(sorted), Some(sorted([all(3, number), all(3, number)].concat())), "batch {number}");
        }
    }
}

#[test]
fn a_state_that_nobody_reads_costs_nothing() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let build = |ssc: &StreamingContext| {
        let s = test_input(ssc, ones(3, 120), 2);
        let unread = s.update_state_by_key(|_, _: Option<&u32>| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            Some(1)
        });
        let unread = unread.map_with_state(adding());
        (s, unread.state_snapshots())
    };
    for built in on_both_engines(build) {
        let (sent, received) = channel();
        built.result.0.foreach_rdd(move |rdd, _| sent.send(rdd.count().unwrap()).unwrap());
        let _running = built.run(120);
        assert_eq!(received.try_iter().collect::<Vec<_>>(), vec![3; 120]);
        assert_eq!(CALLS.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn slices_of_state() {
    let (ssc, clock) = streaming_context();
    let s = test_input(&ssc, ones(2, 5), 2);
    let mapped = s.map_with_state(adding());
    let (snapshots, updated) = (mapped.state_snapshots(), sums(&s));
    mapped.foreach_rdd(|rdd, _| rdd.count().map(drop));
    updated.foreach_rdd(|_, _| ());
    ssc.remember(seconds(60));
    let running = ssc.start().unwrap();
    for batch in 1..=5 {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
    let slice = |stream: &DStream<Count>, from, to| -> Vec<Vec<Count>> {
        let rdds = stream.slice(Time::from_millis(from), Time::from_millis(to)).unwrap();
        rdds.iter().map(|rdd| sorted(rdd.collect().unwrap())).collect()
    };
    for stream in [&mapped.stream(), &snapshots, &updated] {
        assert_eq!(slice(stream, 4000, 5000), [all(2, 4), all(2, 5)]);
        assert_eq!(slice(stream, 0, 2000), [all(2, 1), all(2, 2)], "older versions, behind newer ones");
    }
}

/// Nothing drives a state that no output reads: a slice would be a state of some batches only.
#[test]
fn a_slice_of_a_state_that_no_output_reads() {
    let (ssc, clock) = streaming_context();
    let s = test_input(&ssc, ones(2, 3), 2);
    let updated = sums(&s);
    let mapped = updated.map(|count| count);
    s.foreach_rdd(|_, _| ());
    ssc.remember(seconds(60));
    let running = ssc.start().unwrap();
    for batch in 1..=3 {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
    for stream in [&updated, &mapped] {
        let error = stream.slice(Time::from_millis(2000), Time::from_millis(3000)).err().unwrap().to_string();
        assert!(
            error.contains("the state of update_state_by_key at") && error.contains("no output reads it"),
            "{error}"
        );
    }
}

/// Even numbers first, odd ones behind them, in a number of partitions each.
#[derive(PartialEq, Clone, Copy)]
struct Parity(usize);
impl Partitioner<u32> for Parity {
    fn num_partitions(&self) -> usize {
        2 * self.0
    }
    fn partition(&self, key: &u32) -> usize {
        let (key, half) = (*key as usize, self.0);
        key % 2 * half + key / 2 % half
    }
}

/// The keys of each partition.
fn places<V: Data>(s: DStream<(u32, V)>) -> DStream<Vec<u32>> {
    s.glom().map(|part| sorted(part.into_iter().map(|(key, _)| key).collect()))
}
fn placed(keys: u32, partitions: usize, place: impl Fn(&u32) -> usize) -> Vec<Vec<u32>> {
    let mut parts = vec![Vec::new(); partitions];
    (0..keys).for_each(|key| parts[place(&key)].push(key));
    parts
}

#[test]
fn state_is_spread_as_asked() {
    let in_order = Check::new().in_order().on_both_engines();
    let input = || ones(600, 2).into_iter().flatten();
    for n in [1, 2, 4, 100, 256, 257, 300] {
        let hash: HashPartitioner = headwater::testkit::context().hash_partitioner(n);
        let by_hash = [(); 2].map(|()| placed(600, n, |key| hash.partition(key)));
        let [updated, snapshots, mapped] = by_number(n);
        // Virtual shards belong to partitions as a whole: where they do not divide evenly, hashes do not either.
        if n == 100 {
            let places = updated[0].clone();
            assert_eq!(sorted(places[0].concat()), (0..600).collect::<Vec<_>>());
            [updated, snapshots, mapped].iter().flatten().for_each(|batches| assert_eq!(*batches, places));
        } else {
            [updated, snapshots, mapped].iter().flatten().for_each(|batches| assert_eq!(*batches, by_hash));
        }
        let by = Parity(n);
        let by_parity = [(); 2].map(|()| placed(600, 2 * n, |key| by.partition(key)));
        in_order.run(input(), move |s| places(sums(&s).with_partitioner(by)), by_parity.clone());
        let snapshots = move |s: DStream<Count>| places(s.map_with_state(adding().partitioner(by)).state_snapshots());
        in_order.run(input(), snapshots, by_parity);
    }
}
/// The keys of each partition of two batches, in `n` partitions: of `update_state_by_key`, and of the snapshots and the
/// outputs of `map_with_state`, each on both engines.
fn by_number(n: usize) -> [[Vec<Vec<Vec<u32>>>; 2]; 3] {
    let on_both = |program: fn(DStream<Count>, usize) -> DStream<Count>| {
        let outputs = Check::new().on_both_engines().outputs(ones(600, 2), move |s| places(program(s, n)));
        outputs.map(|batches| batches.unwrap().into_iter().map(Option::unwrap).collect())
    };
    [
        on_both(|s, n| sums(&s).with_partitions(n)),
        on_both(|s, n| s.map_with_state(adding().num_partitions(n)).state_snapshots()),
        on_both(|s, n| s.map_with_state(adding().num_partitions(n)).stream()),
    ]
}

/// Partitions that are those of the state already are not shuffled again, before it and behind it.
#[test]
fn what_is_spread_as_the_state_is_not_shuffled() {
    let program = |s: DStream<Count>| {
        let reduced = s.reduce_by_key(|a, b| a + b).with_partitions(3);
        let states = sums(&reduced).with_partitions(3);
        states.transform(|rdd, _| {
            let again = rdd.reduce_by_key(|a, b| a + b);
            assert!(rdd.partitioner().is_some() && rdd.partitioner() == again.partitioner());
            again
        })
    };
    check([vec![(1, 1), (1, 2), (2, 3)], vec![]], program, [vec![(1, 3), (2, 3)], vec![(1, 3), (2, 3)]]);
}

#[test]
fn partitions_that_cannot_be_are_refused() {
    let refused = |build: fn(&DStream<Count>)| {
        let (ssc, _clock) = streaming_context();
        let s = test_input(&ssc, ones(1, 1), 1);
        build(&s);
        s.print();
        ssc.start().err().expect("it cannot start").to_string()
    };
    let error = refused(|s| drop(s.map_with_state(adding().num_partitions(0))));
    assert!(error.contains("StateSpec") && error.contains('0'), "{error}");
    let error = refused(|s| drop(sums(s).with_partitions(0)));
    assert!(error.contains("with_partitions") && error.contains('0'), "{error}");
}

/// What the state begins with may be any dataset: shuffled, persisted, larger than the state's partitions, with keys that
/// come twice.
#[test]
fn initial_states_from_other_rdds() {
    let both = |s: &DStream<Count>, initial: &Rdd<Count>| {
        let updated = StateUpdate::function(|values: &[u32], sum: Option<&u32>| {
            Some(sum.unwrap_or(&0) + values.iter().sum::<u32>())
        });
        let updated = s.update_state_by_key_with(updated.initial_state(initial)).with_partitions(3);
        updated.union(&s.map_with_state(adding().initial_state(initial).num_partitions(5)).state_snapshots())
    };
    let twice = |n: u32| [all(40, n), all(40, n)].concat();
    let input = || ones(40, 3).into_iter().flatten();
    let expected = [twice(11), twice(12), twice(13)];
    let shuffled = move |s: DStream<Count>| {
        let tens = s.context().parallelize((0..400).map(|n| (n % 40, 1)).collect(), 4);
        both(&s, &tens.reduce_by_key(|a, b| a + b))
    };
    check(input(), shuffled, expected.clone());
    let persisted = move |s: DStream<Count>| {
        let tens = s.context().parallelize((0..400).map(|n| (n % 40, 1)).collect(), 4);
        both(&s, &tens.reduce_by_key(|a, b| a + b).with_partitions(3).persist(StorageLevel::MEMORY_ONLY))
    };
    check(input(), persisted, expected.clone());
    let repeated =
        move |s: DStream<Count>| both(&s, &s.context().parallelize((0..400).map(|n| (n % 40, 10)).collect(), 9));
    check(input(), repeated, expected.clone());
    // Computed before the start, which only a program on one machine can.
    let computed = move |s: DStream<Count>| {
        let tens = s.context().parallelize((0..400).map(|n| (n % 40, 1)).collect(), 4);
        let tens = tens.reduce_by_key(|a, b| a + b).persist(StorageLevel::MEMORY_ONLY);
        assert_eq!(tens.count().unwrap(), 40);
        both(&s, &tens)
    };
    Check::new().run(input(), computed, expected);
}

/// A state of a state of sums, with batches that have no RDD.
#[test]
fn states_behind_each_other() {
    let program = |s: DStream<Count>| {
        let sums = sums(&s.reduce_by_key(|a, b| a + b).with_partitions(3)).with_partitions(4);
        // How often each sum was seen.
        let spec = StateSpec::function(|_: &u32, key: Option<u32>, keys: &mut State<Vec<u32>>| {
            let mut seen = keys.get().cloned().unwrap_or_default();
            seen.extend(key);
            seen.sort();
            keys.update(seen);
        });
        sums.map(|(key, sum)| (sum, key)).map_with_state(spec.num_partitions(5)).state_snapshots()
    };
    let input = [Some(vec![(1, 1), (1, 1), (2, 1)]), None, Some(vec![(2, 1)]), Some(vec![])];
    let expected = [
        vec![(1, vec![2]), (2, vec![1])],
        vec![(1, vec![2, 2]), (2, vec![1, 1])],
        vec![(1, vec![2, 2]), (2, vec![1, 1, 1, 2])],
        vec![(1, vec![2, 2]), (2, vec![1, 1, 1, 1, 2, 2])],
    ];
    for got in Check::new().on_both_engines().outputs(input, program) {
        let got: Vec<_> = got.unwrap().into_iter().map(|batch| sorted(batch.unwrap())).collect();
        assert_eq!(got, expected);
    }
}

/// A function of a partition leaves keys out, gives them twice, and gives new ones before old ones.
#[test]
fn functions_of_partitions() {
    type Keys<'a> = &'a mut dyn Iterator<Item = (u32, Vec<u32>, Option<u32>)>;
    let program = |s: DStream<Count>| {
        let update = StateUpdate::partition(|_, keys: Keys| {
            let mut sums: Vec<_> =
                keys.map(|(key, values, sum)| (key, sum.unwrap_or(0) + values.iter().sum::<u32>())).collect();
            sums.retain(|(_, sum)| sum % 5 != 0);
            let twice: Vec<_> = sums.iter().rev().map(|(key, sum)| (*key, sum + 100)).collect();
            twice.into_iter().chain(sums.into_iter().rev()).collect()
        });
        s.update_state_by_key_with(update).with_partitions(2)
    };
    // With each batch some keys go whose places new ones take.
    let batches =
        [vec![(1, 1), (2, 5), (3, 3)], vec![(1, 4), (3, 1), (4, 1), (5, 2)], vec![(6, 1), (4, 4), (1, 1), (3, 1)]];
    let expected = [vec![(1, 1), (3, 3)], vec![(3, 4), (4, 1), (5, 2)], vec![(1, 1), (5, 2), (6, 1)]];
    check(batches, program, expected);
}

#[test]
fn a_function_of_a_partition_invents_no_key() {
    let (ssc, clock) = streaming_context();
    let update = StateUpdate::partition(|_, keys: &mut dyn Iterator<Item = (u32, Vec<u32>, Option<u32>)>| {
        keys.map(|(key, values, _)| (key + 1, values[0])).collect()
    });
    test_input(&ssc, ones(1, 1), 1).update_state_by_key_with(update).foreach_rdd(|rdd, _| rdd.count().map(drop));
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    let error = running.await_batches(1).unwrap_err().to_string();
    assert!(error.contains("update_state_by_key at") && error.contains("a key that it did not get"), "{error}");
}

/// Who reads its own older state, as its tasks run, would wait for itself; behind a shuffle it may.
#[test]
fn a_state_that_reads_its_own_past() {
    for shuffled in [false, true] {
        let (ssc, clock) = streaming_context();
        let kept: Arc<Mutex<Option<Rdd<Count>>>> = Arc::default();
        let of_before = kept.clone();
        let with_before = test_input(&ssc, ones(3, 3), 2).transform(move |rdd, _| match &*of_before.lock().unwrap() {
            Some(before) if shuffled => {
                rdd.left_outer_join(&before.repartition(2)).map_values(|(one, sum)| one + sum.unwrap())
            }
            Some(before) => rdd.left_outer_join(before).map_values(|(one, sum)| one + sum.unwrap()),
            None => rdd,
        });
        let (sent, seen) = channel();
        sums(&with_before).foreach_rdd(move |rdd, _| {
            sent.send(sorted(rdd.collect().unwrap())).unwrap();
            *kept.lock().unwrap() = Some(rdd);
        });
        let running = ssc.start().unwrap();
        clock.advance(seconds(1));
        running.await_batches(1).unwrap();
        clock.advance(seconds(1));
        let second = running.await_batches(2);
        assert_eq!(seen.recv().unwrap(), all(3, 1));
        if shuffled {
            second.unwrap();
            assert_eq!(seen.recv().unwrap(), all(3, 3));
            continue;
        }
        let error = second.unwrap_err().to_string();
        assert!(
            error.contains("the state of update_state_by_key-") && error.contains("put repartition() or checkpoint()"),
            "{error}"
        );
    }
}

/// No output asks for that batch, and yet its records are missing in the state from then on. The window needs none of it.
#[test]
fn a_state_that_cannot_be_generated_says_so_in_its_batch() {
    let (ssc, clock) = streaming_context();
    let flaky = test_input(&ssc, ones(3, 9), 2).transform(|rdd, time| {
        assert!(time.milliseconds() != 2000, "away");
        rdd
    });
    let seldom = (seconds(1), seconds(4));
    flaky.map_with_state(adding()).state_snapshots().window(seldom).foreach_rdd(|rdd, _| rdd.count().map(drop));
    flaky.reduce_by_key_and_window(|a, b| a + b, seldom).foreach_rdd(|rdd, _| rdd.count().map(drop));
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    clock.advance(seconds(1));
    let mut errors = Vec::new();
    while let Err(error) = running.await_batches(2) {
        errors.push(error.to_string());
    }
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("map_with_state at") && errors[0].contains("away"), "{errors:?}");
}

/// A partition has whole shards, so that with few of them it is seen which it has.
#[test]
fn the_shards_are_dealt_out_over_the_partitions() {
    let sizes = |shards: usize, partitions: usize| {
        let test = TestEnv::new();
        let conf = Conf::new().master("local[2]").state_shards(shards);
        let ssc = StreamingContext::with_env(conf, seconds(1), test.env()).unwrap();
        let sizes = sums(&test_input(&ssc, ones(8000, 1), 2)).with_partitions(partitions);
        let sizes = sizes.transform(|rdd, _| rdd.map_partitions(|keys| [keys.count()]));
        let (sent, received) = channel();
        sizes.foreach_rdd(move |rdd, _| rdd.collect().map(|sizes| sent.send(sizes).unwrap()));
        let running = ssc.start().unwrap();
        test.clock.advance(seconds(1));
        running.await_batches(1).unwrap();
        received.recv().unwrap()
    };
    let shares = |shards, partitions| {
        let thousands = |keys: usize| (keys as f64 / 1000.0).round() as usize;
        sizes(shards, partitions).into_iter().map(thousands).collect::<Vec<_>>()
    };
    assert_eq!(shares(4, 3), [4, 2, 2]);
    assert_eq!(shares(2, 2), [4, 4]);
    assert_eq!(shares(1, 4), [2, 2, 2, 2], "as many shards as partitions, where these are more");
    assert_eq!(shares(256, 8), [1; 8]);
}

#[test]
fn an_initial_state_of_another_context_is_refused() {
    let other = headwater::testkit::context();
    let initial = other.parallelize(vec![(1, 1)], 1);
    for by_map in [false, true] {
        let (ssc, _) = streaming_context();
        let s = test_input(&ssc, ones(1, 1), 1);
        match by_map {
            true => s.map_with_state(adding().initial_state(&initial)).print(),
            false => {
                let update = StateUpdate::function(|_: &[u32], sum: Option<&u32>| sum.copied());
                s.update_state_by_key_with(update.initial_state(&initial)).print()
            }
        };
        let error = ssc.start().err().unwrap().to_string();
        assert!(error.contains("_state") && error.contains("a dataset of another context"), "{error}");
    }
}

/// Many keys in one batch, and few ever after: the tables become small again, and say the same.
#[test]
fn tables_shrink_behind_a_peak() {
    const MANY: u32 = 20_000;
    let test = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), test.env()).unwrap();
    let many = (0..MANY).map(|key| (key, 1)).collect();
    let mut input = vec![Some(vec![(7, 1), (MANY + 1, 1)]); 12];
    input[1] = Some(many);
    let s = test_input(&ssc, input, 2);
    let ends = StateUpdate::function_with_time(|_, key: &u32, values: &[u32], sum: Option<&u32>| {
        Some(sum.unwrap_or(&0) + values.iter().sum::<u32>()).filter(|_| *key > MANY || !values.is_empty())
    });
    let ending = StateSpec::function_with_time(
        |time, key: &u32, value, sum: &mut State<u32>| {
            if sum.is_timing_out() { None } else { add(time, key, value, sum) }
        },
    );
    let streams = [
        s.update_state_by_key_with(ends),
        s.map_with_state(ending.timeout(seconds(2))).state_snapshots(),
        s.reduce_by_key_and_window(|a, b| a + b, seconds(3)),
        s.reduce_by_key_and_window_with(
            WindowReduce::new(|a, b| a + b, |a, b| a - b, seconds(3)).filter(|_, sum| *sum > 0),
        ),
    ];
    let (sent, seen) = channel();
    for (number, stream) in streams.iter().enumerate() {
        let sent = sent.clone();
        stream.foreach_rdd(move |rdd, time| {
            let records = rdd.collect()?;
            sent.send((number, time.milliseconds() / 1000, records.len(), sorted(records).pop())).unwrap();
            Ok::<(), headwater::Error>(())
        });
    }
    let context = ssc.context().clone();
    let running = ssc.start().unwrap();
    let mut peak = 0;
    for batch in 1..=12 {
        test.clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
        peak = peak.max(context.state_status().memory_bytes);
    }
    let now = context.state_status();
    assert!(now.keys < 10 && now.memory_bytes < peak / 50, "{now:?} of {peak}");
    for (number, time, records, last) in seen.try_iter().filter(|(_, time, ..)| *time > 5) {
        // 7 came in each batch, the other in all but one.
        let sum = if number < 2 { time as u32 - 1 } else { 3 };
        assert_eq!((records, last), (2, Some((MANY + 1, sum))), "operation {number} at {time}");
    }
}
