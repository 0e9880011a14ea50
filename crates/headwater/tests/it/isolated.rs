//! Programs on the isolated engine: workers that share no memory with the driver find every task in their own copy of
//! the program.

use headwater::prelude::*;
use headwater::testkit::{Check, check_on_both_engines, isolated, test_input};
use headwater::{Partitioner, TaskContext};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

/// Runs one batch of `program` on the isolated engine: what it prints as errors, if it fails.
pub(super) fn fails(program: impl Fn(DStream<u64>) -> DStream<u64> + Copy + Send + Sync + 'static) -> String {
    let [local, isolated] = Check::new().on_both_engines().outputs([Some(vec![1, 2, 3])], program);
    assert!(local.is_err());
    isolated.unwrap_err().to_string()
}

#[test]
fn a_workers_memory_is_its_own() {
    let (ssc, clock, seen) = isolated(|ssc| {
        let seen = Arc::new(AtomicUsize::new(0));
        let see = seen.clone();
        let numbers = test_input(ssc, vec![Some(vec![1, 2, 3])], 3);
        numbers.map(move |n: u64| see.fetch_add(1, Ordering::Relaxed) as u64 + n).print();
        seen
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 0);
}

#[test]
fn accumulators_count_successful_tasks_once() {
    let (ssc, clock, (count, odd)) = isolated(|ssc| {
        let (count, odd) = (ssc.context().long_accumulator("records"), ssc.context().collection_accumulator("odd"));
        let (add, collect) = (count.clone(), odd.clone());
        let numbers = test_input(ssc, vec![Some((0..10u64).collect()), Some(vec![7])], 4);
        let counted = numbers.map(move |n| {
            add.add(1);
            if n % 2 == 1 {
                collect.add(n);
            }
            assert!(n != 7 || TaskContext::get().unwrap().attempt_number() > 1, "the first two attempts fail");
            (n % 3, n)
        });
        counted.reduce_by_key(|a, b| a + b).print();
        (count, odd)
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(2));
    running.await_batches(2).unwrap();
    let mut odd = odd.value();
    odd.sort();
    assert_eq!((count.value(), count.count(), odd), (11, 11, vec![1, 3, 5, 7, 7, 9]));
}

#[test]
fn a_broadcast_value_is_the_drivers_in_every_process() {
    static BUILT: AtomicUsize = AtomicUsize::new(0);
    let program = |numbers: DStream<u64>| {
        // Every process computes another number; what they all read is the driver's.
        let number = numbers.context().broadcast(BUILT.fetch_add(1, Ordering::SeqCst) as u64);
        let of_batch = numbers.transform(move |rdd, time| {
            let time = rdd.context().broadcast(time.milliseconds() as u64);
            let number = number.clone();
            rdd.map(move |n| (n, *number.value() * 10_000 + *time.value()))
        });
        of_batch.map(|(_, broadcast)| broadcast).count_by_value().map(|(broadcast, _)| broadcast % 10_000)
    };
    // Two partitions on two workers: one value.
    check_on_both_engines([vec![1, 2], vec![3, 4]], program, [vec![1000], vec![2000]]);
}

#[test]
fn outputs_of_the_driver_alone_run_there() {
    let folder = headwater::testkit::temporary_folder();
    let (ssc, clock, (numbers, sums)) = isolated(|ssc| {
        let numbers = test_input(ssc, vec![Some(vec![1u64, 2, 3])], 2);
        (numbers.clone(), numbers.map(|n| (n % 2, n)).reduce_by_key(|a, b| a + b))
    });
    let added = ssc.context().long_accumulator("added");
    let add = added.clone();
    numbers.for_each_partition(move |records, _| add.add(records.sum::<u64>() as i64));
    sums.map(|(_, sum)| sum.to_string()).save_as_text_files(&format!("{folder}/sums"), "");
    sums.print();
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let parts = (0..2).map(|part| std::fs::read_to_string(format!("{folder}/sums-1000/part-0000{part}")).unwrap());
    let mut lines: Vec<String> = parts.flat_map(|part| part.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.sort();
    assert_eq!((lines, added.value()), (vec!["2".to_string(), "4".to_string()], 6));
}

#[test]
fn a_dataset_made_with_the_program_is_joined_in_every_process() {
    let program = |numbers: DStream<u64>| {
        let names = [(1u64, 'a'), (2, 'b'), (1, 'c')].to_vec();
        let names = numbers.context().parallelize(names, 2).group_by_key();
        numbers.map(|n| (n, n)).transform(move |rdd, _| rdd.join(&names)).map(|(n, (_, names))| (n, names.len()))
    };
    check_on_both_engines([vec![1, 2, 3], vec![1]], program, [vec![(1, 2), (2, 1)], vec![(1, 2)]]);
}

#[derive(PartialEq)]
pub(super) struct Backwards(pub(super) usize);
impl Partitioner<u64> for Backwards {
    fn num_partitions(&self) -> usize {
        self.0
    }
    fn partition(&self, key: &u64) -> usize {
        self.0 - 1 - *key as usize % self.0
    }
}

#[test]
fn a_partitioner_of_ones_own() {
    let pairs = |s: DStream<u64>| s.map(|n| (n, 1u64));
    let input = || [(0..9).collect::<Vec<u64>>()];
    let keys = |s: DStream<(u64, u64)>| s.glom().map(|part| part.into_iter().map(|(k, _)| k % 3).max());
    let expected = || [vec![Some(2), Some(1), Some(0)]];
    let check = Check::new().in_order().on_both_engines();
    check.run(input(), move |s| keys(pairs(s).reduce_by_key(|a, b| a + b).with_partitioner(Backwards(3))), expected());
    let grouped = move |s| keys(pairs(s).group_by_key().with_partitioner(Backwards(3)).map_values(|v| v.len() as u64));
    check.run(input(), grouped, expected());
    let joined = move |s: DStream<u64>| {
        keys(pairs(s.clone()).join(&pairs(s)).with_partitioner(Backwards(3)).map_values(|(v, _)| v))
    };
    check.run(input(), joined, expected());
    let placed = move |s| keys(pairs(s).transform(|rdd, _| rdd.partition_by(Backwards(3))));
    check.run(input(), placed, expected());
    // An equal partitioner: no second shuffle, and the partitioner stays known.
    let twice = move |s| {
        pairs(s).transform(|rdd, _| {
            let sums = rdd.reduce_by_key(|a, b| a + b).with_partitioner(Backwards(3));
            let again = sums.group_by_key();
            assert_eq!(sums.partitioner(), again.partitioner());
            assert_ne!(sums.partitioner(), rdd.partition_by(Backwards(4)).partitioner());
            again.map_values(|v| v.len() as u64)
        })
    };
    check.run(input(), move |s| keys(twice(s)), expected());
}

#[test]
fn a_partitioner_that_points_beside_its_partitions_is_named() {
    #[derive(PartialEq)]
    struct Beside;
    impl Partitioner<u64> for Beside {
        fn num_partitions(&self) -> usize {
            2
        }
        fn partition(&self, _key: &u64) -> usize {
            2
        }
    }
    let error = fails(|s| s.map(|n| (n, n)).reduce_by_key(|a, _| a).with_partitioner(Beside).map(|(n, _)| n));
    assert!(error.contains("Beside puts a key into partition 2, but has only 2 partitions"), "{error}");
    assert!(error.contains("reduce_by_key at"), "{error}");
}

#[test]
fn for_each_partition_runs_in_the_tasks() {
    let (ssc, clock, written) = isolated(|ssc| {
        let written = ssc.context().collection_accumulator("written");
        let write = written.clone();
        test_input(ssc, vec![Some(vec![1u64, 2, 3]), Some(vec![4])], 2).for_each_partition(move |records, task| {
            let (time, partition) = (task.batch_time().unwrap().milliseconds(), task.partition_id());
            assert_eq!(TaskContext::get().as_ref(), Some(task));
            assert!(task.attempt_number() > 0 || partition == 0, "partition 1 fails at first");
            write.add((time, partition, records.sum::<u64>()));
        });
        written
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(2));
    running.await_batches(2).unwrap();
    let mut written = written.value();
    written.sort();
    assert_eq!(written, [(1000, 0, 1), (1000, 1, 5), (2000, 0, 0), (2000, 1, 4)]);
}

#[test]
fn code_in_an_outputs_closure_runs_on_the_driver_and_sees_the_same_data() {
    let (ssc, clock, sums) = isolated(|ssc| {
        test_input(ssc, vec![Some(vec![1u64, 2, 3, 4])], 2).map(|n| (n % 2, n)).reduce_by_key(|a, b| a + b)
    });
    let (sent, received) = mpsc::channel();
    sums.foreach_rdd(move |rdd, _| -> headwater::Result<()> {
        let shifted = rdd.map(|(key, sum)| (key, sum + 100)).reduce_by_key(|a, _| a);
        let mut all = shifted.join(&rdd).collect()?;
        all.sort();
        sent.send(all).unwrap();
        Ok(())
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    assert_eq!(received.recv().unwrap(), [(0, (106, 6)), (1, (104, 4))]);
}

#[test]
fn a_panic_on_a_worker_names_the_operator_and_the_place() {
    let place = line!() + 1;
    let error = fails(|s| s.map(|n| if n == 2 { panic!("no twos") } else { n }));
    assert!(error.contains(&format!("map at crates/headwater/tests/it/isolated.rs:{place}:")), "{error}");
    assert!(error.contains("panicked: no twos") && error.contains("failed 4 times"), "{error}");
}

#[test]
fn a_program_that_differs_from_process_to_process_is_refused() {
    static BUILT: AtomicUsize = AtomicUsize::new(0);
    let (ssc, _clock, stream) = isolated(|ssc| {
        let numbers = test_input(ssc, vec![Some(vec![1u64])], 1);
        match BUILT.fetch_add(1, Ordering::SeqCst) {
            0 => numbers.map(|n| n),
            _ => numbers.filter(|_| true),
        }
    });
    stream.print();
    let error = ssc.start().err().unwrap().to_string();
    assert!(error.contains("a worker built the operator filter-"), "{error}");
}

#[test]
fn a_type_that_does_not_survive_its_bytes_is_named() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Word(String),
    }
    let program = |s: DStream<u64>| s.map(|n| (n, Either::Number(n))).group_by_key();
    let [local, isolated] = Check::new().on_both_engines().outputs([Some(vec![1])], program);
    assert!(local.is_ok());
    let error = isolated.unwrap_err().to_string();
    assert!(error.contains("Either") && error.contains("untagged"), "{error}");
}

#[test]
fn queues_and_sockets_feed_workers() {
    use std::io::Write;
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let (ssc, clock, (queue, both)) = isolated(move |ssc| {
        let queue = RddQueue::new();
        let lines = ssc.socket_text_stream("127.0.0.1", port);
        let words = ssc.queue_stream(&queue).map(|n: u64| (n.to_string(), 1));
        (queue, words.union(&lines.map(|line| (line.to_string(), 10))).reduce_by_key(|a, b| a + b))
    });
    // What is queued is the driver's own: it may shuffle, too.
    queue.push(ssc.context().parallelize(vec![1u64, 2, 1], 2).repartition(3)).unwrap();
    let (sent, received) = mpsc::channel();
    both.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    server.accept().unwrap().0.write_all(b"1\n3\n").unwrap();
    let mut all = std::collections::BTreeMap::new();
    for batch in 1.. {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
        if all.values().sum::<i32>() == 23 {
            break;
        }
        received.recv().unwrap().into_iter().for_each(|(word, n)| *all.entry(word).or_default() += n);
    }
    assert_eq!(all.into_iter().collect::<Vec<_>>(), [("1", 12), ("2", 1), ("3", 10)].map(|(w, n)| (w.to_string(), n)));
    running.stop().unwrap();
}

#[test]
fn a_queued_dataset_of_the_program_is_computed_by_the_driver() {
    let (ssc, clock, stream) = isolated(|ssc| {
        let queue = RddQueue::new();
        let sums = ssc.context().parallelize(vec![(1u64, 1u64), (2, 2), (1, 3)], 3).reduce_by_key(|a, b| a + b);
        queue.push(sums.with_partitions(3)).unwrap();
        ssc.queue_stream(&queue).map(|(key, sum)| key * 10 + sum)
    });
    let (sent, received) = mpsc::channel();
    stream.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let mut all = received.recv().unwrap();
    all.sort();
    assert_eq!(all, [14, 22]);
}

#[test]
fn a_thousand_batches_leave_nothing_behind() {
    let program = |s: DStream<u64>| {
        let pairs = s.map(|n| (n % 3, n));
        let largest = pairs.transform(|rdd, _| {
            let count = rdd.count().unwrap();
            rdd.map_values(move |n| n + count)
        });
        largest.join(&pairs.reduce_by_key(|a, b| a + b)).map(|(_, (left, right))| left + right)
    };
    check_on_both_engines((0..1000).map(|n| vec![n]), program, (0..1000).map(|n| vec![2 * n + 1]));
}

#[test]
fn workers_write_the_files_of_a_batch() {
    let folder = headwater::testkit::temporary_folder();
    // A program is plain values: the folder's name lives as long as the test's process.
    let prefix: &'static str = format!("{folder}/numbers").leak();
    let (ssc, clock, ()) = isolated(move |ssc| {
        let numbers = test_input(ssc, vec![Some(vec![1u64, 2, 3, 4])], 2).repartition(2);
        numbers.save_as_text_files(prefix, "txt");
        numbers.save_as_object_files(prefix, "");
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    running.stop().unwrap();
    let context = headwater::testkit::context();
    let mut lines = context.text_file(&format!("{prefix}-1000.txt"), 1).unwrap().collect().unwrap();
    lines.sort();
    assert_eq!(lines, ["1", "2", "3", "4"]);
    let mut records = context.object_file::<u64>(&format!("{prefix}-1000")).unwrap().collect().unwrap();
    records.sort();
    assert_eq!(records, [1, 2, 3, 4]);
}

/// A worker has the input's records without the partitioner that the driver's dataset may have.
#[test]
fn a_queued_dataset_that_is_spread_already_makes_no_difference_between_processes() {
    let (ssc, clock, (queue, sums)) = isolated(|ssc| {
        let queue = RddQueue::new();
        let sums = ssc.queue_stream(&queue).reduce_by_key(|a: u64, b| a + b);
        (queue, sums.transform(|rdd, _| rdd.checkpoint().map(|(key, sum): (u64, u64)| (sum, key)).group_by_key()))
    });
    let pairs = ssc.context().parallelize(vec![(1u64, 1u64), (2, 2), (1, 3)], 3);
    queue.push(pairs.partition_by(ssc.context().hash_partitioner(2)).checkpoint()).unwrap();
    let (sent, received) = mpsc::channel();
    sums.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let mut all = received.recv().unwrap();
    all.sort();
    assert_eq!(all, [(2, vec![2]), (4, vec![1])]);
}

#[test]
fn an_input_without_an_rdd_beside_one_that_has_one() {
    let (ssc, clock, (union, joined)) = isolated(|ssc| {
        let left = test_input(ssc, vec![Some(vec![1u64, 2]), None, Some(vec![3])], 2);
        let right = test_input(ssc, vec![None, None, Some(vec![3u64])], 2);
        let pairs = |s: &DStream<u64>| s.map(|n| (n, n));
        (left.union(&right), pairs(&left).full_outer_join(&pairs(&right)).map(|(n, _)| n))
    });
    let (sent, received) = mpsc::channel();
    for (name, stream) in [("union", union), ("join", joined)] {
        let sent = sent.clone();
        stream.foreach_rdd(move |rdd, time| {
            let mut all = rdd.collect().unwrap();
            all.sort();
            sent.send((time.milliseconds(), name, all)).unwrap();
        });
    }
    let running = ssc.start().unwrap();
    clock.advance(seconds(3));
    running.await_batches(3).unwrap();
    let expected =
        [(1000, "union", vec![1, 2]), (1000, "join", vec![1, 2]), (3000, "union", vec![3, 3]), (3000, "join", vec![3])];
    assert_eq!(received.try_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn outputs_beside_the_program_and_datasets_that_it_returns() {
    let (ssc, clock, (numbers, names)) = isolated(|ssc| {
        let names = ssc.context().parallelize(vec![(1u64, 'a'), (2, 'b')], 2).reduce_by_key(|a, _| a);
        (test_input(ssc, vec![Some(vec![1u64, 2])], 2).map(|n| (n, n)).reduce_by_key(|a, b| a + b), names)
    });
    let (sent, received) = mpsc::channel();
    let partitions = sent.clone();
    numbers.for_each_partition(move |records, _| records.for_each(|(n, _)| partitions.send((n, 'x')).unwrap()));
    numbers.print();
    numbers.foreach_rdd(move |rdd, _| {
        let joined = rdd.join(&names).map(|(n, (_, name))| (n, name)).collect().unwrap();
        joined.into_iter().for_each(|pair| sent.send(pair).unwrap());
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let mut all: Vec<_> = received.try_iter().collect();
    all.sort();
    assert_eq!(all, [(1, 'a'), (1, 'x'), (2, 'b'), (2, 'x')]);
}

/// Values whose drop panics when it is told to.
#[derive(Clone, Serialize, Deserialize)]
struct Grudge(bool);
impl Drop for Grudge {
    fn drop(&mut self) {
        assert!(!self.0 || std::thread::panicking(), "dropped in anger");
    }
}
impl headwater::accumulator::Accumulation for Grudge {
    type Input = ();
    type Output = ();
    fn add(&mut self, (): ()) {
        self.0 = true;
    }
    fn merge(&mut self, mut other: Grudge) {
        other.0 = false;
    }
    fn value(&self) {}
}

#[test]
fn an_accumulator_that_panics_when_a_failed_task_drops_it_holds_nothing_up() {
    let program = |s: DStream<u64>| {
        let grudge = s.context().accumulator("grudge", Grudge(false));
        s.try_map(move |n| {
            grudge.add(());
            if n == 2 { Err("no twos") } else { Ok(n) }
        })
    };
    let error = Check::new().output([Some(vec![1, 2, 3])], program).unwrap_err().to_string();
    assert!(error.contains("no twos"), "{error}");
}

#[test]
fn a_number_of_partitions_that_differs_from_process_to_process_is_told() {
    static BUILT: AtomicUsize = AtomicUsize::new(0);
    // The local engine and the driver are the first two.
    let partitions = || if BUILT.fetch_add(1, Ordering::SeqCst) % 4 < 2 { 4 } else { 8 };
    for program in [
        |s: DStream<u64>, n: usize| s.map(|x| (x, x)).reduce_by_key(|a, b| a + b).with_partitions(n).map(|(x, _)| x),
        |s: DStream<u64>, n: usize| s.repartition(n),
    ] {
        let [local, isolated] =
            Check::new().on_both_engines().outputs([Some((0..100).collect())], move |s| program(s, partitions()));
        assert_eq!(local.unwrap()[0].as_ref().unwrap().len(), 100);
        let error = isolated.unwrap_err().to_string();
        assert!(error.contains('4') && error.contains('8') && error.contains("a worker's program"), "{error}");
    }
}

#[test]
fn a_broadcast_value_that_cannot_be_written_says_so() {
    #[derive(Clone, Deserialize)]
    struct Mute;
    impl Serialize for Mute {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not a word"))
        }
    }
    let program = |s: DStream<u64>| {
        let mute = s.context().broadcast(Mute);
        s.map(move |n| {
            let _mute = mute.value();
            n
        })
    };
    let [local, isolated] = Check::new().on_both_engines().outputs([Some(vec![1])], program);
    assert!(local.is_ok());
    let error = isolated.unwrap_err().to_string();
    assert!(error.contains("a broadcast value did not arrive") && error.contains("Mute"), "{error}");
}
