//! Programs that are crashed at every step: each must tell what it tells without.
#![allow(clippy::disallowed_methods, reason = "a setting of the tests")]

use headwater::prelude::*;
use headwater::testkit::{CrashTest, crash_anywhere};

type Row = (u64, u64);

fn numbers(ssc: &StreamingContext) -> DStream<Row> {
    ssc.rate_stream(10, 2, |n| (n % 5, n)).uid("numbers")
}
fn stateless(ssc: &StreamingContext) -> DStream<Row> {
    numbers(ssc).filter(|(_, n)| n % 2 == 0).reduce_by_key(|a, b| a + b)
}
fn plain_window(ssc: &StreamingContext) -> DStream<Row> {
    numbers(ssc).window((seconds(3), seconds(2))).reduce_by_key(|a, b| a + b)
}
fn inverse_window(ssc: &StreamingContext) -> DStream<Row> {
    // Keys that come and go, so that some stay behind with the neutral value.
    let coming_and_going = numbers(ssc).filter(|(key, n)| (n / 10) % 5 != *key);
    coming_and_going.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2))
}
fn window_without_inverse(ssc: &StreamingContext) -> DStream<Row> {
    numbers(ssc).reduce_by_key_and_window(|a, b| a.max(b), (seconds(4), seconds(2)))
}
fn update_state(ssc: &StreamingContext) -> DStream<Row> {
    // A key whose sum is a multiple of three is forgotten.
    numbers(ssc).update_state_by_key(|new, old: Option<&u64>| {
        let sum = old.unwrap_or(&0) + new.iter().sum::<u64>();
        (!sum.is_multiple_of(3)).then_some(sum)
    })
}
fn map_with_state(ssc: &StreamingContext) -> DStream<Row> {
    let seen = StateSpec::function_with_time(|time, key: &u64, n: Option<u64>, seen: &mut State<u64>| {
        if seen.is_timing_out() {
            return Some((*key + 100, *seen.get().unwrap_or(&0)));
        }
        let sum = seen.get().unwrap_or(&0) + n.unwrap_or(1000);
        seen.update(sum);
        if n.is_some() && key.is_multiple_of(2) {
            seen.set_timer(time + milliseconds(1500));
        }
        Some((*key, sum))
    });
    let at_times = numbers(ssc).filter(|(key, n)| (n / 10) % 3 == key % 3);
    at_times.map_with_state(seen.timeout(seconds(1))).stream()
}
fn joins(ssc: &StreamingContext) -> DStream<Row> {
    let counts = numbers(ssc)
        .map_values(|_| 1u64)
        .update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.iter().sum::<u64>()));
    let window = ssc.rate_stream(4, 1, |n| (n % 5, n)).reduce_by_key_and_window(|a, b| a + b, seconds(3));
    counts.join(&window).map_values(|(count, sum)| count * 1000 + sum)
}
/// Many keys, of which most have no room in memory; some are forgotten, some come back, some time out.
fn on_disk(ssc: &StreamingContext) -> DStream<Row> {
    let many = ssc.rate_stream(120, 2, |n| (n * n % 101, n));
    let sums = many.update_state_by_key(|new, old: Option<&u64>| {
        let sum = old.unwrap_or(&0) + new.iter().sum::<u64>();
        (!sum.is_multiple_of(5)).then_some(sum)
    });
    let seen = StateSpec::function(|key: &u64, n: Option<u64>, seen: &mut State<u64>| {
        if seen.is_timing_out() {
            return (*key + 1000, *seen.get().unwrap_or(&0));
        }
        let sum = seen.get().unwrap_or(&0) + n.unwrap_or(0);
        if sum.is_multiple_of(7) {
            seen.remove()
        } else {
            seen.update(sum)
        }
        (*key, sum)
    });
    let seen = many.filter(|(key, n)| (n / 120) % 4 == key % 4).map_with_state(seen.timeout(seconds(2))).stream();
    sums.union(&seen)
}
/// Batches of a state that a window looks back to.
fn window_over_state(ssc: &StreamingContext) -> DStream<Row> {
    update_state(ssc).window(seconds(3)).reduce_by_key(|a, b| a + b)
}

/// All of them, by name.
pub(super) const PROGRAMS: [(&str, fn(&StreamingContext) -> DStream<Row>); 10] = [
    ("stateless", stateless),
    ("window", plain_window),
    ("inverse window", inverse_window),
    ("window without inverse", window_without_inverse),
    ("update_state_by_key", update_state),
    ("map_with_state with time-outs and timers", map_with_state),
    ("joins of state and window", joins),
    ("window over state", window_over_state),
    ("states that go to disk", on_disk),
    ("stateless on a store without append", stateless),
];

fn test(program: usize) -> CrashTest<Row> {
    let (name, program) = PROGRAMS[program];
    // Snapshots from the first batch on.
    let conf = Conf::new().master("local[2]").app_name("crashes").state_snapshot_after(1);
    let conf = if name.contains("go to disk") { conf.state_memory_max(4096) } else { conf };
    let test = crash_anywhere(program).conf(conf).batches(6);
    if name.contains("without append") { test.without_append() } else { test }
}

#[test]
fn every_step_of_every_program() {
    for (number, (name, _)) in PROGRAMS.iter().enumerate() {
        let report = test(number).at_every_step();
        assert!(report.all_equal() && report.runs > 30, "{name}: {report}");
    }
}

#[test]
fn a_sink_has_every_batch_once_at_every_step() {
    for number in [0, 2, 5, 6] {
        let report = test(number).into_sink().at_every_step();
        assert!(report.all_equal() && report.runs > 30, "{}: {report}", PROGRAMS[number].0);
        let report = test(number).into_sink().batches(4).at_pairs_of_steps(11);
        assert!(report.all_equal() && report.runs > 5, "{}: {report}", PROGRAMS[number].0);
    }
}

#[test]
fn pairs_of_steps_of_every_program() {
    for (number, (name, _)) in PROGRAMS.iter().enumerate() {
        let report = test(number).batches(4).at_pairs_of_steps(7);
        assert!(report.all_equal() && report.runs > 5, "{name}: {report}");
    }
}

/// `cargo xtask simulate --seeds N` and `--seed S`: from, and up to where.
fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("HEADWATER_SIMULATE").ok();
    let asked = asked.as_deref().and_then(|asked| asked.split_once(".."));
    let number = |text: &str| text.parse().expect("HEADWATER_SIMULATE is FROM..TO");
    asked.map_or(0..200, |(from, to)| number(from)..number(to))
}

/// Ten programs with 200 seeds each.
#[test]
fn simulated_lives() {
    let mut all = 0;
    for (number, (name, _)) in PROGRAMS.iter().enumerate() {
        let report = test(number).seeds(seeds());
        let again = report.unequal.first().map(|(seed, _)| format!("cargo xtask simulate --seed {seed}"));
        assert!(report.all_equal(), "{name}: {report}\nto see it again: {}", again.unwrap_or_default());
        println!("{name}: {report}");
        all += report.seeds;
    }
    println!("{all} simulated lives");
}

/// `cargo xtask crash-table`
#[test]
#[ignore = "every pair of steps takes minutes"]
fn table() {
    println!("| program | durable steps | runs with one crash | not equal | runs with two crashes | not equal |");
    println!("|---|---|---|---|---|---|");
    let mut not_equal = 0;
    for (number, (name, _)) in PROGRAMS.iter().enumerate() {
        let (once, twice) = (test(number).at_every_step(), test(number).batches(4).at_pairs_of_steps(1));
        let (lost, lost_twice) = (once.unequal.len(), twice.unequal.len());
        println!("| {name} | {} | {} | {lost} | {} | {lost_twice} |", once.steps, once.runs, twice.runs);
        not_equal += lost + lost_twice;
        once.unequal.iter().chain(&twice.unequal).take(3).for_each(|run| eprintln!("{name}: {run}"));
    }
    assert_eq!(not_equal, 0);
}
