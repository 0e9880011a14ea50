//! Outputs that set aside what they do not take: a record that the sink refuses, or a batch that fails as a whole.

use headwater::checkpoint::CheckpointFolder;
use headwater::prelude::*;
use headwater::rdd::PartitionRecords;
use headwater::sink::{FailurePolicy, Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::testkit::{Refusal, TestEnv, crash_anywhere, isolated, test_input};
use headwater::{Error, ErrorKind, Result};
use headwater_storage::MemoryStorage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

type Batches = BTreeMap<i64, Vec<u64>>;

/// Takes the numbers below `most`; refuses those above one by one, and commits where `refuses` is not in a batch. Where it
/// is away, nobody knows whether a commit came through.
#[derive(Clone, Default)]
struct Small {
    most: Arc<AtomicU64>,
    refuses: Option<u64>,
    away_at: Option<u64>,
    /// Tasks fail.
    is_broken: Arc<AtomicBool>,
    batches: Arc<Mutex<Batches>>,
    /// What the newest process was told that it had committed.
    committed: Arc<Mutex<Option<Time>>>,
    aborted: Arc<Mutex<Vec<i64>>>,
    /// Batch and partition of each call of `prepare`.
    prepared: Arc<Mutex<BTreeSet<(i64, usize)>>>,
}
impl Small {
    fn new(most: u64) -> Small {
        Small { most: Arc::new(AtomicU64::new(most)), ..Small::default() }
    }
    fn batches(&self) -> Batches {
        let mut batches = self.batches.lock().unwrap().clone();
        batches.values_mut().for_each(|numbers| numbers.sort_unstable());
        batches
    }
}
impl Sink<u64> for Small {
    fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
        *self.committed.lock().unwrap() = output.committed;
        Ok(())
    }
    fn newest(&self, _: &SinkOutput<'_>) -> Result<Option<Time>> {
        Ok(self.batches().into_keys().next_back().map(Time::from_millis))
    }
    fn prepare(&self, part: &SinkPart<'_>, numbers: PartitionRecords<u64>) -> Result<Vec<u8>> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Resources, "the disk is full"));
        }
        self.prepared.lock().unwrap().insert((part.time.milliseconds(), part.partition));
        let mut bytes = Vec::new();
        for (index, number) in numbers.enumerate() {
            match number < self.most.load(Ordering::Relaxed) {
                true => bytes.extend(number.to_le_bytes()),
                false => part.refuse(index, Error::new(ErrorKind::Data, format!("{number} is too large")))?,
            }
        }
        Ok(bytes)
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let numbers = parts.concat();
        let numbers: Vec<u64> = numbers.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect();
        let has = |number: Option<u64>| number.is_some_and(|number| numbers.contains(&number));
        if has(self.refuses) {
            return Err(Error::new(ErrorKind::Data, "the table has that number"));
        }
        if has(self.away_at) {
            return Err(Error::new(ErrorKind::Outside, "the connection broke"));
        }
        self.batches.lock().unwrap().entry(batch.time.milliseconds()).or_insert(numbers);
        Ok(())
    }
    fn abort(&self, batch: &SinkBatch<'_>, _: &[Vec<u8>]) -> Result<()> {
        self.aborted.lock().unwrap().push(batch.time.milliseconds());
        Ok(())
    }
}

fn start(env: &TestEnv, conf: Conf, sink: &Small, policy: FailurePolicy) -> RunningContext {
    let ssc = StreamingContext::with_env(conf.master("local[2]"), seconds(1), env.env()).unwrap();
    let numbers = ssc.rate_stream(4, 2, |n| n).uid("numbers");
    numbers.set_aside().write_to(sink.clone()).uid("small").on_failure(policy);
    ssc.start().unwrap()
}
fn run(env: &TestEnv, running: &RunningContext, batches: u64) -> Result<()> {
    (1..=batches).try_for_each(|batch| {
        env.clock.advance(seconds(1));
        running.await_batches(batch)
    })
}
/// Batch, partition, index, attempt and record of each letter.
fn letters(running: &RunningContext) -> Vec<(i64, usize, u64, u32, u64)> {
    let letters = running.dead_letters().unwrap();
    let mut told: Vec<_> = letters
        .iter()
        .map(|of| {
            let record = of.record().unwrap();
            assert_eq!(of.operator, "small");
            (of.batch.milliseconds(), of.partition, of.letter.index, of.letter.attempt, record)
        })
        .collect();
    told.sort_unstable();
    told
}

#[test]
fn a_record_that_the_sink_refuses_is_a_letter_and_the_rest_is_written() {
    for conf in [Conf::new(), Conf::new().checkpoint_dir("run")] {
        let (env, sink) = (TestEnv::in_memory(), Small::new(7));
        let running = start(&env, conf, &sink, FailurePolicy::stop());
        run(&env, &running, 2).unwrap();
        assert_eq!(sink.batches(), [(1000, vec![0, 1, 2, 3]), (2000, vec![4, 5, 6])].into());
        // The numbers go to the partitions in turn.
        assert_eq!(letters(&running), [(2000, 1, 1, 1, 7)]);
        let told = &running.dead_letters().unwrap()[0].letter;
        assert_eq!(told.error, "7 is too large");
        // It reads the input itself, and so knows the offset.
        assert_eq!(told.source.as_ref().unwrap().to_string(), "numbers, partition 1, offset 3");
        running.stop().unwrap();
    }
}

#[test]
fn without_set_aside_a_refused_record_fails_its_batch() {
    let (env, sink) = (TestEnv::in_memory(), Small::new(3));
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    ssc.rate_stream(4, 2, |n| n).write_to(sink.clone());
    let running = ssc.start().unwrap();
    let error = run(&env, &running, 1).unwrap_err().to_string();
    assert!(error.contains("write_to at ") && error.ends_with("3 is too large"), "{error}");
    assert!(sink.batches().is_empty());
}

#[test]
fn a_batch_whose_commit_is_refused_is_set_aside_and_the_next_goes_on() {
    // One record of it was refused alone before.
    let sink = Small { refuses: Some(5), ..Small::new(7) };
    let env = TestEnv::in_memory();
    let conf = Conf::new().checkpoint_dir("run");
    let running = start(&env, conf, &sink, FailurePolicy::stop());
    run(&env, &running, 2).unwrap();
    assert_eq!(sink.batches(), [(1000, vec![0, 1, 2, 3])].into());
    assert_eq!(*sink.aborted.lock().unwrap(), [2000]);
    let all = [(2000, 0, 0, 1, 4), (2000, 0, 1, 1, 6), (2000, 1, 0, 1, 5), (2000, 1, 1, 1, 7)];
    assert_eq!(letters(&running), all);
    assert_eq!(running.dead_letters().unwrap()[0].letter.error, "the table has that number");
    let warning = env.await_warning("write_to at ");
    assert!(warning.contains("the records of batch 2000 ms are set aside: the table has that number"), "{warning}");
    sink.most.store(100, Ordering::Relaxed);
    run(&env, &running, 3).unwrap();
    assert_eq!(sink.batches()[&3000], [8, 9, 10, 11]);
    assert_eq!(running.progress().failed, 0);
    running.stop().unwrap();
}

/// Sinks compare that with what they have: a batch that they never had would look lost.
#[test]
fn a_sink_is_not_told_that_it_has_committed_what_it_refused() {
    let (env, sink) = (TestEnv::in_memory(), Small { refuses: Some(5), ..Small::new(100) });
    let process = |batches| {
        let running = start(&env, Conf::new().checkpoint_dir("run"), &sink, FailurePolicy::stop());
        let committed = *sink.committed.lock().unwrap();
        run(&env, &running, batches).unwrap();
        running.stop().unwrap();
        committed.map(Time::milliseconds)
    };
    assert_eq!(process(2), None);
    assert_eq!(process(1), Some(1000));
    assert_eq!(process(0), Some(3000));
}

#[test]
fn a_batch_is_tried_as_the_policy_says_before_it_is_set_aside() {
    let sink = Small { refuses: Some(1), ..Small::new(100) };
    let env = TestEnv::in_memory();
    let running = start(&env, Conf::new(), &sink, FailurePolicy::retry(1, Duration::ZERO));
    run(&env, &running, 1).unwrap();
    assert_eq!(env.warnings().iter().filter(|warning| warning.contains("it is tried again")).count(), 1);
    assert_eq!(letters(&running).len(), 4);
}

/// Nobody knows whether it came through: set aside and driven once more, it might be there twice.
#[test]
fn a_commit_that_breaks_off_is_not_set_aside() {
    let sink = Small { away_at: Some(1), ..Small::new(100) };
    let env = TestEnv::in_memory();
    let running = start(&env, Conf::new(), &sink, FailurePolicy::stop());
    let error = run(&env, &running, 1).unwrap_err().to_string();
    assert!(error.contains("the connection broke"), "{error}");
    assert!(letters(&running).is_empty());
}

#[test]
fn letters_of_an_output_are_written_once_when_they_are_driven_once_more() {
    let (env, sink) = (TestEnv::in_memory(), Small { refuses: Some(5), ..Small::new(3) });
    let process = |batches: u64| {
        let running = start(&env, Conf::new().checkpoint_dir("run"), &sink, FailurePolicy::stop());
        run(&env, &running, batches).unwrap();
        let left = letters(&running);
        running.stop_gracefully().unwrap();
        left
    };
    let redrive = || CheckpointFolder::look(env.storage.clone(), "run").unwrap().redrive_letters(|_| true).unwrap();
    // 3 is refused alone; behind it nothing is small enough.
    assert_eq!(process(2).len(), 5);
    sink.most.store(100, Ordering::Relaxed);
    redrive();
    // The letters come with a batch that is good, and the refused number with them.
    let left = process(1);
    let mut again: Vec<_> = left.iter().map(|(batch, _, _, attempt, record)| (*batch, *attempt, *record)).collect();
    again.sort_unstable();
    let expected = [8, 9, 10, 11].map(|n| (3000, 1, n)).into_iter().chain([3, 4, 5, 6, 7].map(|n| (3000, 2, n)));
    assert_eq!(again, expected.collect::<Vec<_>>());
    assert_eq!(sink.batches(), [(1000, vec![0, 1, 2]), (2000, vec![])].into());
    // Without it they are taken.
    let folder = CheckpointFolder::look(env.storage.clone(), "run").unwrap();
    folder.redrive_letters(|letter| letter.record::<u64>().unwrap() != 5).unwrap();
    assert_eq!(process(1).len(), 1);
    let parts: Vec<usize> = sink.prepared.lock().unwrap().range((4000, 0)..).map(|(_, part)| *part).collect();
    assert_eq!(parts, [0, 1, 2]);
    assert_eq!(sink.batches()[&4000], [3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
}

#[test]
fn what_an_output_of_the_users_fails_on_is_set_aside_behind_a_shuffle_too() {
    let env = TestEnv::in_memory();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let sums = ssc.rate_stream(6, 2, |n| (n % 2, n)).reduce_by_key(|a, b| a + b);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = told.clone();
    let tell = move |rdd: Rdd<(u64, u64)>, time: Time| -> Result<()> {
        let records = rdd.collect()?;
        assert_ne!(time, Time::from_millis(1000), "the mail server hangs up");
        tells.lock().unwrap().extend(records);
        Ok(())
    };
    sums.set_aside().foreach_rdd(tell).uid("mail");
    let running = ssc.start().unwrap();
    run(&env, &running, 2).unwrap();
    let letters = running.dead_letters().unwrap();
    let mut records: Vec<(u64, u64)> = letters.iter().map(|letter| letter.record().unwrap()).collect();
    records.sort_unstable();
    assert_eq!(records, [(0, 6), (1, 9)]);
    assert!(letters.iter().all(|of| of.operator == "mail" && of.letter.error.contains("the mail server hangs up")));
    told.lock().unwrap().sort_unstable();
    assert_eq!(*told.lock().unwrap(), [(0, 24), (1, 27)]);
}

#[test]
fn what_fails_before_the_output_fails_the_batch_as_ever() {
    let env = TestEnv::in_memory();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let numbers = ssc.rate_stream(4, 1, |n| n).try_map(|n| if n == 2 { Err("two") } else { Ok(n) });
    numbers.set_aside().write_to(Small::new(100)).uid("small");
    let running = ssc.start().unwrap();
    let error = run(&env, &running, 1).unwrap_err().to_string();
    assert!(error.contains("two"), "{error}");
    let warning = env.await_warning("write_to at ");
    assert!(warning.contains("the records of batch 1000 ms cannot be set aside"), "{warning}");
    assert!(letters(&running).is_empty());
}

#[test]
fn workers_bring_what_their_sinks_refuse() {
    #[derive(Clone, Copy)]
    struct Even;
    impl Sink<u64> for Even {
        fn recover(&self, _: &SinkOutput<'_>) -> Result<()> {
            Ok(())
        }
        fn prepare(&self, part: &SinkPart<'_>, numbers: PartitionRecords<u64>) -> Result<Vec<u8>> {
            let odd = |number: u64| Error::new(ErrorKind::Data, format!("{number} is odd"));
            let odd_ones = numbers.enumerate().filter(|(_, number)| !number.is_multiple_of(2));
            odd_ones.into_iter().try_for_each(|(index, number)| part.refuse(index, odd(number)))?;
            Ok(Vec::new())
        }
        fn commit(&self, _: &SinkBatch<'_>, _: &[Vec<u8>]) -> Result<()> {
            Ok(())
        }
    }
    let (ssc, clock, _) = isolated(|ssc| {
        test_input(ssc, vec![Some(vec![1u64, 2, 3, 4])], 2).set_aside().write_to(Even).uid("even");
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let letters = running.dead_letters().unwrap();
    let mut records: Vec<u64> = letters.iter().map(|letter| letter.record().unwrap()).collect();
    records.sort_unstable();
    assert_eq!(records, [1, 3]);
}

#[test]
fn outputs_and_letters_are_the_same_whatever_step_a_process_ends_at() {
    let program = |ssc: &StreamingContext| ssc.rate_stream(10, 2, |n| n).uid("numbers");
    let refuses = |n: &u64| match n {
        35 => Refusal::Batch,
        n if n % 10 == 4 => Refusal::Record,
        _ => Refusal::Nothing,
    };
    let test = || crash_anywhere(program).into_sink_that_refuses(refuses).batches(5);
    let report = test().at_every_step();
    assert!(report.all_equal() && report.runs > 30, "{report}");
    let report = test().at_pairs_of_steps(7);
    assert!(report.all_equal() && report.runs > 20, "{report}");
}

/// Set aside and driven once more, it would be there twice.
#[test]
fn a_batch_that_the_sink_may_have_is_not_set_aside_where_its_tasks_fail() {
    let (storage, env, sink) = (MemoryStorage::new(), TestEnv::new(), Small::new(100));
    let process = |storage: &MemoryStorage, batches: u64| -> Result<usize> {
        let env = env.clone().with_storage(Arc::new(storage.clone()));
        let conf = Conf::new().checkpoint_dir("run").restart_behind_sinks(true);
        let running = start(&env, conf, &sink, FailurePolicy::stop());
        run(&env, &running, batches)?;
        let letters = letters(&running).len();
        running.stop_gracefully()?;
        Ok(letters)
    };
    process(&storage, 1).unwrap();
    // What the journal has lost of the second batch a crash behind its commit would have lost too.
    let older = storage.copy();
    process(&storage, 1).unwrap();
    sink.is_broken.store(true, Ordering::Relaxed);
    let error = process(&older, 1).unwrap_err().to_string();
    assert!(error.contains("batch 2000 ms") && error.contains("the disk is full"), "{error}");
    let warning = env.await_warning("cannot be set aside");
    assert!(warning.contains("a process before this one had begun the batch"), "{warning}");
    // Later ones are.
    sink.is_broken.store(false, Ordering::Relaxed);
    assert_eq!(process(&older, 1).unwrap(), 0);
    sink.is_broken.store(true, Ordering::Relaxed);
    assert_eq!(process(&older, 1).unwrap(), 4);
}

#[test]
fn what_has_no_room_among_the_letters_is_found_before_the_commit() {
    let (env, sink) = (TestEnv::in_memory(), Small::new(2));
    // Each of the two partitions refuses one.
    let conf = Conf::new().checkpoint_dir("run").dead_letters_max(1);
    let running = start(&env, conf, &sink, FailurePolicy::stop());
    let error = run(&env, &running, 1).unwrap_err().to_string();
    assert!(error.contains("no room for 2 more letters") && error.contains("dead_letters_max = 1"), "{error}");
    assert!(sink.batches().is_empty(), "nothing is visible of a batch that fails");
}

#[test]
fn what_tasks_have_prepared_of_a_batch_that_failed_is_thrown_away() {
    let (env, sink) = (TestEnv::in_memory(), Small::new(100));
    sink.is_broken.store(true, Ordering::Relaxed);
    let running = start(&env, Conf::new(), &sink, FailurePolicy::stop());
    run(&env, &running, 1).unwrap();
    assert_eq!((letters(&running).len(), &*sink.aborted.lock().unwrap()), (4, &vec![1000]));
}
