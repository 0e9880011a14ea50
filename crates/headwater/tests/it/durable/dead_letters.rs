//! The dead letters of durable applications: they outlive the process, are bounded, and go through their operators once more
//! when somebody asks.
#![allow(clippy::disallowed_methods, reason = "a setting of the tests")]

use headwater::checkpoint::CheckpointFolder;
use headwater::dead_letters::DeadLetter;
use headwater::env::Storage;
use headwater::prelude::*;
use headwater::testkit::{TestEnv, crash_anywhere, test_input};
use headwater::{ErrorKind, Result, TaskContext};
use headwater_storage::MemoryStorage;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a program is for a process: numbers that `is_bad` says are set aside.
#[derive(Clone)]
struct Program {
    conf: Conf,
    uid: &'static str,
    is_bad: fn(u64) -> bool,
}
impl Program {
    fn new(is_bad: fn(u64) -> bool) -> Program {
        let conf = Conf::new().master("local[2]").app_name("halves").checkpoint_dir("run");
        Program { conf, uid: "check", is_bad }
    }
    /// A process that makes so many batches, of five numbers each; what it told.
    fn run(&self, env: &TestEnv, batches: u64) -> Result<Vec<u64>> {
        let (running, told) = self.start(env)?;
        for batch in 1..=batches {
            env.clock.advance(seconds(1));
            running.await_batches(batch)?;
        }
        running.stop_gracefully()?;
        Ok(sorted(&told))
    }
    fn start(&self, env: &TestEnv) -> Result<(RunningContext, Arc<Mutex<Vec<u64>>>)> {
        let ssc = StreamingContext::with_env(self.conf.clone(), seconds(1), env.env())?;
        let numbers = ssc.rate_stream(5, 2, |n| n).uid("numbers");
        let is_bad = self.is_bad;
        let check = move |n: &u64| if is_bad(*n) { Err(format!("{n} is bad")) } else { Ok(*n) };
        let told = Arc::new(Mutex::new(Vec::new()));
        let tells = told.clone();
        numbers.set_aside().try_map(check).uid(self.uid).foreach_rdd(move |rdd, _| -> Result<()> {
            tells.lock().unwrap().extend(rdd.collect()?);
            Ok(())
        });
        Ok((ssc.start()?, told))
    }
}
fn sorted(told: &Mutex<Vec<u64>>) -> Vec<u64> {
    let mut told = std::mem::take(&mut *told.lock().unwrap());
    told.sort_unstable();
    told
}
fn look(env: &TestEnv) -> CheckpointFolder {
    CheckpointFolder::look(env.storage.clone(), "run").unwrap()
}
/// Number, attempt and record.
fn letters(env: &TestEnv) -> Vec<(u64, u32, u64)> {
    let letters = look(env).dead_letters().unwrap();
    letters.iter().map(|of| (of.number, of.letter.attempt, of.record().unwrap())).collect()
}
fn multiple_of_4(n: u64) -> bool {
    n.is_multiple_of(4)
}
fn none(_: u64) -> bool {
    false
}

#[test]
fn letters_outlive_the_process_and_are_driven_once_more_by_the_next() {
    let env = TestEnv::in_memory();
    let program = Program::new(multiple_of_4);
    assert_eq!(program.run(&env, 2).unwrap(), [1, 2, 3, 5, 6, 7, 9]);
    assert_eq!(letters(&env), [(1, 1, 0), (2, 1, 4), (3, 1, 8)]);
    assert_eq!(program.run(&env, 1).unwrap(), [10, 11, 13, 14]);
    assert_eq!(letters(&env).len(), 4);

    assert_eq!(look(&env).redrive_letters(|letter| letter.number != 2).unwrap().letters, 3);
    assert_eq!(look(&env).waiting_requests().unwrap(), (3, 0));
    // 8 fails again.
    let mended = Program { is_bad: |n| n == 4 || n == 8, ..program.clone() };
    assert_eq!(mended.run(&env, 2).unwrap(), [0, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    assert_eq!(letters(&env), [(2, 1, 4), (5, 2, 8)]);
    assert_eq!(look(&env).waiting_requests().unwrap(), (0, 0));
    let again = &look(&env).dead_letters().unwrap()[1];
    assert_eq!((again.letter.error.as_str(), again.operator.as_str()), ("8 is bad", "check"));
    // Nothing comes a second time.
    assert_eq!(mended.run(&env, 1).unwrap(), [25, 26, 27, 28, 29]);
    assert!(CheckpointFolder::check(env.storage.clone(), "run").unwrap().is_good());
}

#[test]
fn a_running_program_carries_requests_out() {
    let env = TestEnv::in_memory();
    static IS_MENDED: AtomicBool = AtomicBool::new(false);
    let program = Program::new(|n| n.is_multiple_of(4) && !IS_MENDED.load(Ordering::SeqCst));
    let (running, told) = program.start(&env).unwrap();
    let batch = |count: u64| {
        env.clock.advance(seconds(1));
        running.await_batches(count).unwrap();
        sorted(&told)
    };
    assert_eq!(batch(1), [1, 2, 3]);
    look(&env).drop_letters(|letter| letter.number == 1).unwrap();
    look(&env).redrive_letters(|_| true).unwrap();
    IS_MENDED.store(true, Ordering::SeqCst);
    // The letter 1 was asked for twice, and dropped first.
    assert_eq!(batch(2), [4, 5, 6, 7, 8, 9]);
    assert_eq!(running.dead_letters().unwrap(), []);
    assert_eq!(batch(3), [10, 11, 12, 13, 14]);
    assert_eq!(look(&env).waiting_requests().unwrap(), (0, 0));
    running.stop().unwrap();
}

#[test]
fn a_full_store_fails_the_batch_and_a_dropped_letter_makes_room() {
    let env = TestEnv::in_memory();
    let mut program = Program::new(multiple_of_4);
    program.conf = program.conf.dead_letters_max(3);
    let error = program.run(&env, 3).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("is full: it has 3 letters") && said.contains("dead_letters_max = 3"), "{said}");
    assert!(said.contains("`headwater dead-letters drop run --all`"), "{said}");
    assert_eq!(letters(&env).len(), 3);
    assert!(program.run(&env, 1).unwrap_err().to_string().contains("is full"), "it stays so");
    look(&env).drop_letters(|letter| letter.number < 3).unwrap();
    // The third batch and the two of the down-time: 12, and 16 and 20 in the fourth and fifth have no room again.
    let (running, told) = program.start(&env).unwrap();
    running.await_batches(1).unwrap();
    assert!(sorted(&told).starts_with(&[10, 11, 13, 14]));
    assert!(letters(&env).iter().any(|(_, _, record)| *record == 12));
    let _full_again = running.stop();
    let room =
        Program { conf: Conf::new().checkpoint_dir("run").app_name("halves").dead_letter_bytes_max(10), ..program };
    let error = room.run(&env, 1).unwrap_err().to_string();
    assert!(error.contains("dead_letter_bytes_max = 10"), "{error}");
}

#[test]
fn a_request_for_an_operator_that_is_gone_waits_for_it() {
    let env = TestEnv::in_memory();
    Program::new(multiple_of_4).run(&env, 1).unwrap();
    look(&env).redrive_letters(|_| true).unwrap();
    let renamed = Program { uid: "another", ..Program::new(none) };
    assert_eq!(renamed.run(&env, 2).unwrap(), (5..15).collect::<Vec<u64>>());
    let warnings = env.warnings();
    let told: Vec<_> = warnings.iter().filter(|warning| warning.contains("2 dead letters cannot go through")).collect();
    assert_eq!(told.len(), 1, "{warnings:?}");
    assert_eq!((look(&env).waiting_requests().unwrap(), letters(&env).len()), ((2, 0), 2));
    assert_eq!(Program::new(none).run(&env, 1).unwrap(), [0, 4, 15, 16, 17, 18, 19]);
    assert_eq!((look(&env).waiting_requests().unwrap(), letters(&env).len()), ((0, 0), 0));
}

#[test]
fn letters_of_a_batch_that_is_not_done_and_whose_operator_goes_are_letters_again() {
    let env = TestEnv::in_memory();
    Program::new(multiple_of_4).run(&env, 1).unwrap();
    look(&env).redrive_letters(|_| true).unwrap();
    // The batch that has them fails.
    let mut failing = Program::new(multiple_of_4);
    failing.conf = failing.conf.dead_letters_max(1);
    failing.run(&env, 1).unwrap_err();
    assert_eq!(letters(&env), []);
    let renamed = Program { uid: "another", ..Program::new(none) };
    assert_eq!(renamed.run(&env, 1).unwrap()[..5], [5, 6, 7, 8, 9]);
    let back = look(&env).dead_letters().unwrap();
    let is = |of: &DeadLetter| (of.operator.clone(), of.letter.attempt, of.record::<u64>().unwrap());
    assert_eq!(back.iter().map(is).collect::<Vec<_>>(), [("check".to_owned(), 1, 0), ("check".to_owned(), 1, 4)]);
    assert!(back[0].letter.error.contains("which the program has not"), "{}", back[0].letter.error);
}

#[test]
fn letters_go_to_an_operator_when_it_has_a_batch_and_without_other_records() {
    let env = TestEnv::in_memory();
    let process = |batches: u64, mended: bool| {
        let conf = Conf::new().master("local[2]").checkpoint_dir("run").restart_without_inputs(true);
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
        let records = if mended { vec![] } else { vec![Some(vec![1u64, 2]), Some(vec![3, 4])] };
        let (told, check) = (Arc::new(Mutex::new(Vec::new())), move |n: &u64| n.is_multiple_of(2) || mended);
        let tells = told.clone();
        // Behind a window there is a batch every two seconds; the input has none at all in the second process.
        let windows = test_input(&ssc, records, 1).window((seconds(2), seconds(2)));
        let checked = windows.set_aside().try_map(move |n| if check(n) { Ok(*n) } else { Err("odd") });
        checked.uid("check").foreach_rdd(move |rdd, time| -> Result<()> {
            let records = rdd.collect()?;
            tells.lock().unwrap().push((time.milliseconds(), records));
            Ok(())
        });
        let running = ssc.start().unwrap();
        for batch in 1..=batches {
            env.clock.advance(seconds(1));
            running.await_batches(batch).unwrap();
        }
        running.stop().unwrap();
        let mut told = told.lock().unwrap().clone();
        // Letters come in the order in which their partitions were done.
        told.iter_mut().for_each(|(_, records): &mut (i64, Vec<u64>)| records.sort_unstable());
        told
    };
    assert_eq!(process(2, false), [(2000, vec![2, 4])]);
    assert_eq!(letters(&env).len(), 2);
    look(&env).redrive_letters(|_| true).unwrap();
    let told: Vec<_> = process(4, true).into_iter().filter(|(_, records)| !records.is_empty()).collect();
    assert_eq!(told, [(4000, vec![1, 3])]);
    assert_eq!(letters(&env), []);
}

#[test]
fn a_window_that_looks_back_over_a_restart_brings_no_letter_twice() {
    let env = TestEnv::in_memory();
    let process = |batches: u64| {
        let conf = Conf::new().master("local[2]").checkpoint_dir("run");
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
        let numbers = ssc.rate_stream(5, 2, |n| n).uid("numbers");
        let good = numbers.set_aside().try_filter(|n| if n.is_multiple_of(4) { Err("bad") } else { Ok(true) });
        good.uid("check").window(seconds(3)).foreach_rdd(|rdd, _| rdd.count().map(drop));
        let running = ssc.start().unwrap();
        env.clock.advance(seconds(batches));
        running.await_batches(batches).unwrap();
        running.stop_gracefully().unwrap();
    };
    [2, 1, 2].into_iter().for_each(process);
    let mut records: Vec<u64> = letters(&env).into_iter().map(|(.., record)| record).collect();
    records.sort_unstable();
    assert_eq!(records, [0, 4, 8, 12, 16, 20, 24]);
}

#[test]
fn what_is_dropped_makes_room_on_disk() {
    let storage = MemoryStorage::new();
    let env = TestEnv::new().with_storage(Arc::new(storage.clone()));
    let conf = Conf::new().master("local[2]").checkpoint_dir("run").dead_letter_bytes_max(16 << 20);
    let process = |batches: u64| {
        let ssc = StreamingContext::with_env(conf.clone(), seconds(1), env.env()).unwrap();
        let long = ssc.rate_stream(3, 1, |n| (n, "x".repeat(1 << 20))).uid("numbers");
        long.set_aside().try_filter(|_| Err::<bool, _>("bad")).uid("check").foreach_rdd(|rdd, _| rdd.count().map(drop));
        let running = ssc.start().unwrap();
        for batch in 1..=batches {
            env.clock.advance(seconds(1));
            running.await_batches(batch).unwrap();
            // All but one that stays for good, in the middle of those that go.
            look(&env).drop_letters(|letter| letter.number != 2).unwrap();
        }
        running.stop_gracefully().unwrap();
    };
    let on_disk = || -> u64 {
        let of_log = storage.paths().into_iter().filter(|(path, _)| path.contains("dead-letters/log"));
        of_log.map(|(_, bytes)| bytes).sum()
    };
    (0..5).for_each(|_| process(12));
    // 180 MiB were written.
    assert!(on_disk() < 64 << 20, "{}", on_disk());
    process(1);
    let numbers: Vec<u64> = look(&env).dead_letters().unwrap().iter().map(|letter| letter.number).collect();
    assert_eq!(numbers, [2, 181, 182, 183]);
    assert!(CheckpointFolder::check(env.storage.clone(), "run").unwrap().is_good());
}

#[test]
fn a_damaged_or_missing_log_is_named() {
    let storage = MemoryStorage::new();
    let env = TestEnv::new().with_storage(Arc::new(storage.clone()));
    Program::new(multiple_of_4).run(&env, 2).unwrap();
    let path = storage.paths().into_iter().find(|(path, _)| path.contains("dead-letters/log")).unwrap().0;
    storage.remove(&path).unwrap();
    let error = Program::new(multiple_of_4).run(&env, 1).unwrap_err();
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("was the folder copied in part?"), "{error}");
    let check = CheckpointFolder::check(env.storage.clone(), "run").unwrap();
    assert!(!check.is_good() && check.parts.iter().any(|part| part.part == "dead-letters/log"), "{check:?}");

    // Letters whose numbers nobody knows any more.
    let storage = MemoryStorage::new();
    let env = TestEnv::new().with_storage(Arc::new(storage.clone()));
    Program::new(multiple_of_4).run(&env, 2).unwrap();
    let journal = storage.paths().into_iter().filter(|(path, _)| path.contains("/journal/"));
    journal.for_each(|(path, _)| storage.remove(&path).unwrap());
    let error = Program::new(multiple_of_4).run(&env, 1).unwrap_err();
    assert!(error.to_string().contains("has dead letters and no journal"), "{error}");
}

/// Bad records whose letters go through their operator once more in the middle of it: which batch has them depends on the
/// crash, so what is told is their sum behind the last batch.
fn with_redrive(ssc: &StreamingContext) -> DStream<(u64, u64)> {
    let storage = ssc.context().env().storage.clone();
    let numbers = ssc.rate_stream(10, 2, |n| n).uid("numbers");
    let asked = numbers.transform(move |rdd, time| {
        if (3000..6000).contains(&time.milliseconds()) {
            ask(&storage);
        }
        rdd.clone()
    });
    // 4 and 9 of each ten are bad. With a batch that is not its own, a 4 is good.
    let check = asked.set_aside().try_map(|n| {
        let time = TaskContext::get().and_then(|task| task.batch_time()).unwrap();
        let is_first = time == Time::from_millis((*n as i64 / 10 + 1) * 1000);
        match n % 10 {
            4 if is_first => Err(format!("{n} is bad")),
            9 => Err(format!("{n} is worse")),
            _ => Ok((n % 3, *n)),
        }
    });
    let sums = check
        .uid("check")
        .update_state_by_key(|new, sum: Option<&u64>| Some(sum.unwrap_or(&0) + new.iter().sum::<u64>()));
    sums.uid("sums").transform(|rdd, time| match time.milliseconds() {
        6000.. => rdd.clone(),
        _ => rdd.filter(|_| false),
    })
}
/// The letters of the first two batches, whatever the batch in which this is asked.
fn ask(storage: &Arc<dyn Storage>) {
    let folder = CheckpointFolder::look(storage.clone(), "app");
    // A disk that has crashed answers nothing any more.
    let is_early = |letter: &DeadLetter| letter.batch <= Time::from_millis(2000) && letter.letter.attempt == 1;
    let _crashed = folder.and_then(|folder| folder.redrive_letters(is_early));
}

#[test]
fn letters_are_neither_lost_nor_doubled_by_a_crash_at_any_step() {
    let test = || crash_anywhere(with_redrive).conf(Conf::new().master("local[2]").app_name("letters")).batches(6);
    let report = test().at_every_step();
    assert!(report.all_equal() && report.runs > 60, "{report}");
    let report = test().without_append().at_every_step();
    assert!(report.all_equal() && report.runs > 60, "{report}");
    let report = test().at_pairs_of_steps(5);
    assert!(report.all_equal() && report.runs > 20, "{report}");
}

#[test]
fn letters_are_the_same_whatever_happens_to_the_processes_and_their_disk() {
    let program = |ssc: &StreamingContext| {
        let numbers = ssc.rate_stream(40, 2, |n| n).uid("numbers");
        let check = |n: &u64| if n % 7 == 3 { Err(format!("{n} is bad")) } else { Ok((n % 3, *n)) };
        numbers.set_aside().try_map(check).uid("check").reduce_by_key_and_window(|a, b| a + b, seconds(3))
    };
    let report = crash_anywhere(program).batches(6).seeds(0..60);
    assert!(report.all_equal() && report.crashes > 30, "{report}");
    let report = crash_anywhere(program).batches(4).at_pairs_of_steps(6);
    assert!(report.all_equal() && report.runs > 20, "{report}");
}
