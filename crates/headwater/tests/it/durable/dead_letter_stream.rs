//! Dead letters as an input of the program: each is in one batch, whatever ends when.

use headwater::checkpoint::CheckpointFolder;
use headwater::dead_letters::DeadLetter;
use headwater::prelude::*;
use headwater::testkit::{TestEnv, crash_anywhere};
use std::sync::{Arc, Mutex};

/// Batch of the stream, operator and record.
type Told = Arc<Mutex<Vec<(i64, String, u64)>>>;

fn odd(n: &u64) -> std::result::Result<u64, String> {
    if n.is_multiple_of(2) { Ok(*n) } else { Err(format!("{n} is odd")) }
}
/// A process with so many batches of four numbers, of which the odd ones are set aside; what its stream told, if it has one.
fn process(env: &TestEnv, batches: u64, streams: bool) -> Vec<(i64, String, u64)> {
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    ssc.checkpoint("run");
    ssc.rate_stream(4, 2, |n| n).uid("numbers").set_aside().try_map(odd).uid("even").print();
    let told = Told::default();
    if streams {
        let tells = told.clone();
        ssc.dead_letter_stream().uid("letters").foreach_rdd(move |rdd, time| {
            let letters = rdd.collect().unwrap();
            let letters = letters.into_iter().map(|letter| {
                let record = letter.record().unwrap();
                (time.milliseconds(), letter.operator, record)
            });
            tells.lock().unwrap().extend(letters);
        });
    }
    let running = ssc.start().unwrap();
    run(env, &running, batches);
    let mut told = std::mem::take(&mut *told.lock().unwrap());
    told.sort();
    told
}
/// So many batches, one after the other, and a graceful end.
fn run(env: &TestEnv, running: &RunningContext, batches: u64) {
    for batch in 1..=batches {
        env.clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
    running.stop_gracefully().unwrap();
}
fn left(env: &TestEnv) -> Vec<u64> {
    let letters = CheckpointFolder::look(env.storage.clone(), "run").unwrap().dead_letters().unwrap();
    letters.iter().map(|letter| letter.record().unwrap()).collect()
}

#[test]
fn a_letter_comes_once_its_batch_is_committed_and_leaves_the_store() {
    let env = TestEnv::in_memory();
    assert!(process(&env, 1, false).is_empty());
    assert_eq!(left(&env), [1, 3]);
    let even = |batch, n| (batch, "even".to_owned(), n);
    let told = process(&env, 3, true);
    assert_eq!(told[..2], [even(2000, 1), even(2000, 3)]);
    let records = |told: &[(i64, String, u64)]| told.iter().map(|(.., n)| *n).collect::<Vec<_>>();
    let all = [records(&told), left(&env)].concat();
    assert_eq!(all, [1, 3, 5, 7, 9, 11, 13, 15]);
    let rest = left(&env);
    // A version without the stream leaves them where they are, and one with it has them.
    process(&env, 1, false);
    assert_eq!(left(&env), [rest, vec![17, 19]].concat());
    let all = [records(&told), records(&process(&env, 2, true)), left(&env)].concat();
    assert_eq!(all, (0..14).map(|n| 2 * n + 1).collect::<Vec<_>>());
}

#[test]
fn letters_of_what_is_behind_the_stream_stay_in_the_store() {
    for durable in [false, true] {
        let env = TestEnv::in_memory();
        let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
        if durable {
            ssc.checkpoint("run");
        }
        ssc.rate_stream(4, 2, |n| n).uid("numbers").set_aside().try_map(odd).uid("even").print();
        let fails = |letter: &DeadLetter| Err::<u64, _>(format!("{} cannot be told", letter.number));
        ssc.dead_letter_stream().set_aside().try_map(fails).uid("tell").print();
        let running = ssc.start().unwrap();
        run(&env, &running, 4);
        let letters = running.dead_letters().unwrap();
        let of = |operator: &str| letters.iter().filter(|letter| letter.operator == operator).count();
        assert!(of("tell") >= 4 && of("tell") + of("even") == 8, "{} {}", of("tell"), of("even"));
        let inner = letters.iter().find(|letter| letter.operator == "tell").unwrap().record::<DeadLetter>().unwrap();
        assert_eq!((inner.operator.as_str(), inner.letter.error), ("even", "1 is odd".to_owned()));
    }
}

/// In which batch a letter comes depends on the crash, so what is told is their sum behind the last of them.
#[test]
fn letters_are_in_the_stream_once_whatever_step_a_process_ends_at() {
    let program = |ssc: &StreamingContext| {
        let bad = |n: &u64| if (5..25).contains(n) { odd(n).map(|n| (0u64, n)) } else { Ok((0, 0)) };
        let good = ssc.rate_stream(10, 2, |n| n).uid("numbers").set_aside().try_map(bad).uid("even");
        let letters = ssc.dead_letter_stream().uid("letters").map(|letter| (1, letter.record::<u64>().unwrap()));
        let sums = good
            .union(&letters)
            .update_state_by_key(|new: &[u64], sum: Option<&u64>| Some(sum.unwrap_or(&0) + new.iter().sum::<u64>()));
        sums.uid("sums").transform(|rdd, time| match time.milliseconds() {
            6000.. => rdd.clone(),
            _ => rdd.filter(|_| false),
        })
    };
    let test = || crash_anywhere(program).conf(Conf::new().master("local[2]").app_name("letters")).batches(6);
    let report = test().at_every_step();
    assert!(report.all_equal() && report.runs > 60, "{report}");
    let report = test().at_pairs_of_steps(7);
    assert!(report.all_equal() && report.runs > 20, "{report}");
}

#[test]
fn a_stream_that_no_output_reads_has_no_letters() {
    for durable in [false, true] {
        let env = TestEnv::in_memory();
        let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
        if durable {
            ssc.checkpoint("run");
        }
        ssc.rate_stream(4, 2, |n| n).uid("numbers").set_aside().try_map(odd).uid("even").print();
        let _nobody_reads = ssc.dead_letter_stream().map(|letter| letter.number);
        let running = ssc.start().unwrap();
        run(&env, &running, 3);
        assert_eq!(running.dead_letters().unwrap().len(), 6);
    }
}

#[test]
fn what_somebody_has_asked_to_re_drive_is_not_for_the_stream_also_if_its_operator_is_gone() {
    let env = TestEnv::in_memory();
    process(&env, 1, false);
    let folder = || CheckpointFolder::look(env.storage.clone(), "run").unwrap();
    assert_eq!(folder().redrive_letters(|letter| letter.record::<u64>().unwrap() == 3).unwrap().letters, 1);
    // A version without the operator, whose stream takes the other letter.
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    ssc.checkpoint("run");
    ssc.rate_stream(4, 2, |n| n).uid("numbers").print();
    ssc.dead_letter_stream().uid("letters").print();
    let running = ssc.start().unwrap();
    run(&env, &running, 3);
    assert_eq!(left(&env), [3]);
    // It goes through its operator again when there is one.
    let told = process(&env, 2, true);
    assert!(told.iter().any(|(batch, _, n)| *batch > 5000 && *n == 3), "it is odd as ever: {told:?}");
}
