//! A window's passes over its keys: each ends soon when its job is given up.

use super::*;
use crate::rdd::{Sink, TaskContext};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const KEYS: usize = 8 * CHUNK;

/// A 1 of each key.
struct Ones;
impl Node<(usize, u64)> for Ones {
    fn num_partitions(&self) -> usize {
        1
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, _task: &Task<'_>, sink: Sink<'_, (usize, u64)>) -> Outcome {
        sink(&mut (0..KEYS).map(|key| (key, 1)).collect())
    }
}

/// Batch 1 has a value of each key. How many of the calls that batch 2 makes of the functions come, if its job is given
/// up during the first of them.
fn calls_until_the_end(start: i64, rebases: bool) -> usize {
    let (cancelled, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (flag, count) = (cancelled.clone(), calls.clone());
    let called = move |total: u64| {
        count.fetch_add(1, Ordering::Relaxed);
        flag.store(true, Ordering::Relaxed);
        total
    };
    let also_called = called.clone();
    let windowing = Arc::new(Inverse { reduce: move |a, b| called(a + b), inverse: move |a, b| also_called(a - b) });
    let slide = |entering: Vec<i64>, start: i64, rebases: bool| {
        let entering = entering.into_iter().map(|time| (Time::from_millis(time), Arc::new(Ones) as Arc<dyn Node<_>>));
        let (after, origin) = (Time::from_millis(start - 1), Origin::here("test"));
        let (windowing, entering) = (windowing.clone(), entering.collect());
        Slide { windowing, entering, after, keeps_empty: false, rebases, tells_changes: true, origin }
    };
    let mut state = WindowState::fresh(HashSeed::new(7));
    let mut run = |slide: Slide<usize, u64, _>, time| {
        let outcome =
            TaskContext::new(0, 0, 0, None).attempt(&cancelled, |task| slide.advance(&mut state, task).map(drop));
        state.commit(Time::from_millis(time), Time::from_millis(time));
        outcome
    };
    assert!(run(slide(vec![1], 1, false), 1).is_ok());
    assert_eq!(calls.load(Ordering::Relaxed), 0, "a first value is not reduced");
    // The values of two batches are reduced when aggregates are made anew.
    if rebases {
        assert!(run(slide(vec![2], 1, false), 2).is_err_and(|stop| matches!(stop, Stop::Cancelled)));
        cancelled.store(false, Ordering::Relaxed);
        calls.store(0, Ordering::Relaxed);
    }
    assert!(run(slide(Vec::new(), start, rebases), 3).is_err_and(|stop| matches!(stop, Stop::Cancelled)));
    calls.load(Ordering::Relaxed)
}

#[test]
fn a_job_that_is_given_up_lets_no_whole_batch_leave() {
    assert_eq!(calls_until_the_end(2, false), CHUNK);
}

#[test]
fn a_job_that_is_given_up_makes_few_aggregates_anew() {
    assert_eq!(calls_until_the_end(1, true), 1);
}
