//! `headwater checkpoint plan` runs this very test as the program that makes the plan.

use crate::program::{folder, said};
use headwater::prelude::*;

/// A program that makes its settings by `Conf::load`; as a test it does nothing.
#[test]
fn program() {
    let conf = Conf::load().unwrap().master("local[1]").app_name("visits");
    if conf.get("headwater.streaming.plan_only").unwrap() != "true" {
        return;
    }
    let ssc = StreamingContext::new(conf, seconds(1)).unwrap();
    let numbers = ssc.rate_stream(4, 2, |n| (format!("user {}", n % 3), n)).uid("numbers");
    numbers.update_state_by_key(|new, _: Option<&u64>| new.first().copied()).uid("sums").print();
    ssc.start().unwrap();
}

#[test]
fn a_plan_is_printed_and_nothing_runs() {
    let folder = folder();
    let run = format!("{}/run", &*folder);
    let itself = std::env::current_exe().unwrap();
    let itself = itself.to_str().unwrap();
    let before = said(&["checkpoint", "show", "--events", &run]);
    let (code, out, err) = said(&[
        "checkpoint",
        "plan",
        &run,
        "--",
        itself,
        "plan::program",
        "--exact",
        "--nocapture",
        "--test-threads=1",
    ]);
    // Without a word it would not go on: two states have no operator any more.
    assert_ne!(code, 0, "{out}{err}");
    let fates = ["kept          numbers", "new           sums", "dropped       visits", "dropped       recent"];
    assert!(fates.iter().all(|fate| out.contains(fate)), "{out}{err}");
    assert_eq!(said(&["checkpoint", "show", "--events", &run]), before);
}

#[cfg(unix)]
#[test]
fn output_and_exit_code_are_passed_on() {
    let folder = folder();
    let run = format!("{}/run", &*folder);
    let script = "echo $HEADWATER_STREAMING_PLAN_ONLY $HEADWATER_STREAMING_CHECKPOINT_DIR $1; echo why >&2; exit 7";
    let (code, out, err) = said(&["checkpoint", "plan", &run, "--", "sh", "-c", script, "sh", "--json"]);
    assert_eq!((code, out, err.as_str()), (7, format!("true {run} --json\n"), "why\n"));
}
