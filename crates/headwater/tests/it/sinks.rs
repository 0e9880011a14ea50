//! What a driver does for a sink: the order of commits, what runs beside them, and what follows when something fails.

use headwater::env::Clock;
use headwater::prelude::*;
use headwater::rdd::PartitionRecords;
use headwater::sink::{FailurePolicy, Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::testkit::TestEnv;
use headwater::{Error, ErrorKind, Result, StreamingContextState};
use headwater_storage::MemoryStorage;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Numbers by batch, in milliseconds; and what happened, in words.
#[derive(Default)]
struct Seen {
    batches: BTreeMap<i64, Vec<u64>>,
    steps: Vec<String>,
}
/// A sink that fails as it is told, by the step: `prepare 1000`, `commit 2000`, `recover`.
#[derive(Clone, Default)]
struct Numbers {
    seen: Arc<Mutex<Seen>>,
    /// How often a step fails before it does not.
    fails: Arc<Mutex<BTreeMap<String, u32>>>,
    /// A commit says that it has begun and waits for the word.
    gate: Option<Arc<(Sender<i64>, Mutex<Receiver<()>>)>>,
}
impl Numbers {
    fn failing(self, step: &str, times: u32) -> Numbers {
        self.fails.lock().unwrap().insert(step.to_owned(), times);
        self
    }
    fn step(&self, step: String) -> Result<()> {
        self.seen.lock().unwrap().steps.push(step.clone());
        if let Some(left) = self.fails.lock().unwrap().get_mut(&step).filter(|left| **left > 0) {
            *left -= 1;
            return Err(Error::new(ErrorKind::Outside, format!("the store is away ({step})")));
        }
        Ok(())
    }
    fn batches(&self) -> BTreeMap<i64, Vec<u64>> {
        self.seen.lock().unwrap().batches.clone()
    }
    fn steps(&self, of: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.steps.iter().filter(|step| step.starts_with(of)).cloned().collect()
    }
}
impl Sink<u64> for Numbers {
    fn recover(&self, _: &SinkOutput<'_>) -> Result<()> {
        self.step("recover".to_owned())
    }
    fn newest(&self, _: &SinkOutput<'_>) -> Result<Option<Time>> {
        Ok(self.batches().into_keys().next_back().map(Time::from_millis))
    }
    fn prepare(&self, part: &SinkPart<'_>, numbers: PartitionRecords<u64>) -> Result<Vec<u8>> {
        if part.partition == 0 {
            self.step(format!("prepare {}", part.time.milliseconds()))?;
        }
        Ok(numbers.flat_map(u64::to_le_bytes).collect())
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let time = batch.time.milliseconds();
        if let Some(gate) = &self.gate {
            gate.0.send(time).unwrap();
            gate.1.lock().unwrap().recv().unwrap();
        }
        self.step(format!("commit {time}"))?;
        let numbers = parts.iter().flat_map(|part| part.chunks(8));
        let numbers = numbers.map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect();
        let mut seen = self.seen.lock().unwrap();
        if seen.batches.last_key_value().is_none_or(|(newest, _)| *newest < time) {
            seen.batches.insert(time, numbers);
        }
        Ok(())
    }
    fn abort(&self, batch: &SinkBatch<'_>, _: &[Vec<u8>]) -> Result<()> {
        self.step(format!("abort {}", batch.time.milliseconds()))
    }
}

/// Two numbers a second into the sink, one batch a second.
fn program(env: &TestEnv, conf: Conf, sink: &Numbers, policy: FailurePolicy) -> Result<StreamingContext> {
    let ssc = StreamingContext::with_env(conf.master("local[2]"), seconds(1), env.env())?;
    ssc.rate_stream(2, 2, |n| n).write_to(sink.clone()).uid("numbers").on_failure(policy);
    Ok(ssc)
}
fn start(env: &TestEnv, conf: Conf, sink: &Numbers, policy: FailurePolicy) -> RunningContext {
    program(env, conf, sink, policy).unwrap().start().unwrap()
}
fn numbers(batches: i64) -> BTreeMap<i64, Vec<u64>> {
    (1..=batches).map(|batch| (1000 * batch, vec![2 * batch as u64 - 2, 2 * batch as u64 - 1])).collect()
}
/// A sink whose commits wait, how they are heard of, and how they are let go.
fn gated() -> (Numbers, Receiver<i64>, Sender<()>) {
    let ((begun, begins), (go, waits)) = (channel(), channel());
    (Numbers { gate: Some(Arc::new((begun, Mutex::new(waits)))), ..Numbers::default() }, begins, go)
}

#[test]
fn a_commit_runs_beside_the_next_batches_of_which_few_wait_prepared() {
    let ((sink, begins, go), env) = (gated(), TestEnv::in_memory());
    let conf = Conf::new().concurrent_jobs(3);
    let running = start(&env, conf, &sink, FailurePolicy::stop());
    env.clock.advance(seconds(8));
    assert_eq!(begins.recv().unwrap(), 1000);
    // While the first is committed two more are prepared, and each of the three jobs has one at hand at most.
    while sink.steps("prepare").len() < 6 {
        std::thread::yield_now();
    }
    assert!(sink.batches().is_empty() && sink.steps("prepare").len() == 6);
    let waiting = running.remaining();
    assert!(waiting.batches.contains(&Time::from_millis(1000)), "{waiting}");
    let committing = waiting.outputs.iter().find(|output| output.name.starts_with("the commit of write_to at "));
    assert_eq!(
        committing.map(|output| (output.batch_time, output.id)),
        Some((Time::from_millis(1000), 0)),
        "{waiting}"
    );
    (0..8).for_each(|_| go.send(()).unwrap());
    running.await_batches(8).unwrap();
    let order: Vec<i64> = std::iter::once(1000).chain(begins.try_iter()).collect();
    assert_eq!(order, (1..=8).map(|batch| batch * 1000).collect::<Vec<_>>());
    running.stop().unwrap();
    let sorted = |batches: BTreeMap<i64, Vec<u64>>| -> BTreeMap<i64, Vec<u64>> {
        batches.into_iter().map(|(time, mut of)| (time, (of.sort(), of).1)).collect()
    };
    assert_eq!(sorted(sink.batches()), numbers(8));
}

#[test]
fn a_graceful_stop_commits_and_a_stop_throws_away_what_is_prepared() {
    let (sink, env) = (Numbers::default(), TestEnv::in_memory());
    let running = start(&env, Conf::new(), &sink, FailurePolicy::stop());
    env.clock.advance(seconds(2));
    while sink.steps("prepare").len() < 2 {
        std::thread::yield_now();
    }
    running.stop_gracefully().unwrap();
    assert_eq!(sink.batches(), numbers(2));

    let ((sink, begins, go), env) = (gated(), TestEnv::in_memory());
    let running = start(&env, Conf::new(), &sink, FailurePolicy::stop());
    env.clock.advance(seconds(2));
    assert_eq!(begins.recv().unwrap(), 1000);
    while sink.steps("prepare").len() < 2 {
        std::thread::yield_now();
    }
    running.stop_handle().request_stop();
    go.send(()).unwrap();
    running.stop().unwrap();
    // The commit that ran has its batch; the next one was prepared, or cut off.
    assert_eq!((sink.batches(), sink.steps("commit").len()), (numbers(1), 1));
    assert!(running.progress().dropped == 1 && sink.steps("abort").len() <= 1);
}

/// Lets the pauses between tries pass, one for each word.
fn pause(env: &TestEnv, of: &[(&str, u64)]) {
    for (what, pause) in of {
        let (what, again) = (format!("({what})"), format!("; it is tried again in {pause}s"));
        let is_told = |warning: &String| warning.contains(&what) && warning.ends_with(&again);
        env.clock.wait(None, &mut || env.warnings().iter().any(is_told));
        env.clock.advance(seconds(*pause));
    }
}

#[test]
fn a_store_that_is_away_for_a_while_loses_nothing_under_retry() {
    let env = TestEnv::in_memory();
    // A job tries its task four times.
    let sink = Numbers::default().failing("recover", 2).failing("prepare 4000", 9).failing("commit 5000", 2);
    let running = std::thread::scope(|scope| {
        let starting = scope.spawn(|| start(&env, Conf::new(), &sink, FailurePolicy::retry(2, seconds(1))));
        pause(&env, &[("recover", 1), ("recover", 2)]);
        starting.join().unwrap()
    });
    env.clock.set(Time::from_millis(4000));
    pause(&env, &[("prepare 4000", 1), ("prepare 4000", 2)]);
    pause(&env, &[("commit 5000", 1), ("commit 5000", 2)]);
    running.await_batches(5).unwrap();
    let batches = sink.batches();
    assert_eq!(batches, numbers(batches.len() as i64));
    assert_eq!(
        (sink.steps("recover").len(), sink.steps("prepare 4000").len(), sink.steps("commit 5000").len()),
        (3, 10, 3)
    );
    running.stop().unwrap();
}

#[test]
fn a_store_that_is_away_at_the_start_fails_it_and_names_the_output() {
    let env = TestEnv::in_memory();
    let sink = Numbers::default().failing("recover", 1);
    let ssc = program(&env, Conf::new(), &sink, FailurePolicy::stop()).unwrap();
    let error = ssc.start().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Outside);
    let error = error.to_string();
    assert!(error.starts_with("the sink of write_to at ") && error.ends_with("the store is away (recover)"), "{error}");
}

#[test]
fn a_durable_program_ends_with_the_batch_that_fails_and_the_next_process_begins_with_it() {
    for step in ["prepare 2000", "commit 2000"] {
        let env = TestEnv::in_memory();
        let sink = Numbers::default().failing(step, 4);
        let conf = || Conf::new().checkpoint_dir("run").task_failures_max(1);
        let running = start(&env, conf(), &sink, FailurePolicy::stop());
        env.clock.advance(seconds(4));
        let error = running.await_termination().unwrap_err().to_string();
        assert!(error.contains("batch 2000 ms, output operation 0 (write_to at ") && error.contains(step), "{error}");
        let _told = running.stop();
        assert!(sink.batches().into_keys().all(|time| time < 2000), "later batches are not committed before it");
        sink.fails.lock().unwrap().clear();
        let running = start(&env, conf(), &sink, FailurePolicy::stop());
        running.await_batches(3).unwrap();
        running.stop().unwrap();
        assert_eq!(sink.batches(), numbers(4));
    }
}

#[test]
fn without_a_folder_later_batches_go_on_behind_one_that_fails() {
    let env = TestEnv::in_memory();
    let sink = Numbers::default().failing("commit 2000", 1);
    let running = start(&env, Conf::new(), &sink, FailurePolicy::stop());
    env.clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    env.clock.advance(seconds(2));
    assert!(running.await_termination().unwrap_err().to_string().contains("the store is away (commit 2000)"));
    while sink.steps("prepare").len() < 3 {
        std::thread::yield_now();
    }
    running.stop_gracefully().unwrap();
    assert_eq!(running.state(), StreamingContextState::Stopped);
    assert_eq!(sink.batches().into_keys().collect::<Vec<_>>(), [1000, 3000]);
    assert_eq!(running.progress().failed, 1);
}

#[test]
fn a_batch_that_cannot_be_made_is_told_as_it_is_and_not_tried_again() {
    let env = TestEnv::in_memory();
    let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env()).unwrap();
    let broken = ssc.rate_stream(1, 1, |n| n).transform(|_, _| -> Rdd<u64> { panic!("no such table") });
    broken.write_to(Numbers::default()).on_failure(FailurePolicy::retry(5, seconds(1)));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    let error = running.await_batches(1).unwrap_err().to_string();
    assert!(error.contains("error generating the job") && error.contains("no such table"), "{error}");
    assert_eq!(env.warnings(), Vec::<String>::new());
}

#[test]
fn a_sink_is_told_its_application_and_its_own_newest_batch() {
    #[derive(Clone)]
    struct Told(Sender<(String, String, Option<i64>)>, bool);
    impl Sink<u64> for Told {
        fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
            let committed = output.committed.map(Time::milliseconds);
            self.0.send((output.application.to_owned(), output.operator.to_owned(), committed)).unwrap();
            if self.1 { Err(Error::new(ErrorKind::Outside, "the store is away")) } else { Ok(()) }
        }
        fn prepare(&self, _: &SinkPart<'_>, _: PartitionRecords<u64>) -> Result<Vec<u8>> {
            Ok(Vec::new())
        }
        fn commit(&self, _: &SinkBatch<'_>, _: &[Vec<u8>]) -> Result<()> {
            Ok(())
        }
    }
    let (env, (sent, told)) = (TestEnv::in_memory(), channel());
    // What each of the outputs is told when the process begins, which then has so many batches.
    let live = |batches: u64, fails: bool| {
        let conf = Conf::new().master("local[1]").app_name("told").checkpoint_dir("run");
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
        let numbers = ssc.rate_stream(2, 1, |n| n).uid("numbers");
        numbers.write_to(Told(sent.clone(), false)).uid("each");
        numbers.window((seconds(2), seconds(2))).write_to(Told(sent.clone(), fails)).uid("every second");
        match ssc.start() {
            Err(error) => assert!(fails, "{error}"),
            Ok(running) => {
                env.clock.advance(seconds(batches));
                running.await_batches(batches).unwrap();
                running.stop_gracefully().unwrap();
            }
        }
        let told: Vec<_> = told.try_iter().collect();
        assert!(told.iter().all(|(application, ..)| application.starts_with("told-")));
        (told[0].0.clone(), told.iter().map(|(_, operator, committed)| format!("{operator} {committed:?}")).collect())
    };
    let (name, first): (String, Vec<String>) = live(0, true);
    assert_eq!(first, ["each None", "every second None"]);
    for (batches, expected) in
        [(3, ["each None", "every second None"]), (1, ["each Some(3000)", "every second Some(2000)"])]
    {
        let (again, committed) = live(batches, false);
        // The folder has the name from the first process on, also where that could not begin.
        assert_eq!((again, &committed[..]), (name.clone(), &expected.map(str::to_owned)[..]));
    }
}

#[test]
fn a_checkpoint_folder_that_is_older_than_its_sink_is_refused_unless_somebody_says_so() {
    let (storage, sink, env) = (MemoryStorage::new(), Numbers::default(), TestEnv::new());
    let process = |storage: &MemoryStorage, conf: Conf| -> Result<()> {
        let env = env.clone().with_storage(Arc::new(storage.clone()));
        let running = program(&env, conf.checkpoint_dir("run"), &sink, FailurePolicy::retry(9, seconds(1)))?.start()?;
        env.clock.advance(seconds(2));
        running.await_batches(2)?;
        running.stop_gracefully()
    };
    process(&storage, Conf::new()).unwrap();
    let older = storage.copy();
    process(&storage, Conf::new()).unwrap();
    assert_eq!(sink.batches(), numbers(4));
    let error = process(&older, Conf::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    let error = error.to_string();
    let told = "it has batch 4000 ms of this output, and the checkpoint folder knows of none behind 2000 ms";
    assert!(error.starts_with("the sink of write_to at ") && error.contains(told), "{error}");
    assert!(error.contains("an older copy") && error.contains("restart_behind_sinks = true"), "{error}");
    assert_eq!(sink.batches(), numbers(4));
    process(&older, Conf::new().restart_behind_sinks(true)).unwrap();
    assert_eq!(sink.batches(), numbers(6));
}
