//! Windows that cannot be: the start says what is wrong, where, and what would be right.

use headwater::prelude::*;
use headwater::testkit::{streaming_context, test_input};
use headwater::{ErrorKind, Record};

type Pairs = DStream<(i32, i32)>;

/// What the start of a program with this window says.
#[track_caller]
fn refused<U: Record + std::fmt::Debug + headwater::Data>(window: impl FnOnce(Pairs) -> DStream<U>) -> String {
    let (ssc, _clock) = streaming_context();
    window(test_input(&ssc, vec![Some(vec![(1, 1)])], 1)).print();
    let error = ssc.start().err().expect("the start must fail");
    assert_eq!(error.kind(), ErrorKind::Program);
    let error = error.to_string();
    assert!(error.contains(" at crates/headwater/tests/it/windows/refused.rs:"), "{error}");
    error
}

#[test]
fn lengths_and_slides_that_are_no_multiples() {
    let cases = [
        (
            Window::new(milliseconds(2500)),
            "the window duration of 2.5s is no multiple of the slide duration of 1s of the stream it reads; the \
             nearest are 2s and 3s",
        ),
        (
            Window::new(seconds(4)).sliding(milliseconds(1001)),
            "the slide duration of 1.001s is no multiple of the slide duration of 1s of the stream it reads; the \
             nearest are 1s and 2s",
        ),
        (
            Window::new(milliseconds(500)),
            "the window duration of 500ms is no multiple of the slide duration of 1s of the stream it reads; the \
             shortest is 1s",
        ),
        (
            Window::new(Duration::ZERO),
            "the window duration of 0ns is too short for the slide duration of 1s of the stream it reads; the \
             shortest is 1s",
        ),
        (
            Window::new(seconds(2)).sliding(Duration::ZERO),
            "the slide duration of 0ns is too short for the slide duration of 1s of the stream it reads; the shortest \
             is 1s",
        ),
        // Of two mistakes the first.
        (Window::new(milliseconds(1)).sliding(Duration::ZERO), "the window duration of 1ms is no multiple"),
    ];
    for (window, message) in cases {
        let error = refused(|s| s.window(window));
        assert!(error.starts_with("window at") && error.contains(message), "{error}");
    }
}

#[test]
fn every_operator_says_its_name() {
    let window = milliseconds(1500);
    assert!(refused(|s| s.group_by_key_and_window(window)).starts_with("group_by_key_and_window at"));
    assert!(refused(|s| s.reduce_by_window(|a, _| a, window)).starts_with("reduce_by_window at"));
    assert!(refused(|s| s.count_by_window(window)).starts_with("count_by_window at"));
    assert!(refused(|s| s.count_by_value_and_window(window)).starts_with("count_by_value_and_window at"));
    let inverse = refused(|s| s.reduce_by_window_inverse(|a, _| a, |a, _| a, window));
    assert!(inverse.starts_with("reduce_by_window_inverse at"));
    assert!(refused(|s| s.reduce_by_key_and_window(|a, _| a, window)).starts_with("reduce_by_key_and_window at"));
    let changes = refused(|s| s.reduce_by_key_and_window_changes(WindowReduce::new(|a, _| a, |a, _| a, window)));
    assert!(changes.starts_with("reduce_by_key_and_window_changes at"));
}

/// A window of a window is measured by the steps of what it reads, not by batches.
#[test]
fn a_window_of_a_window_counts_in_its_steps() {
    let of_window = |window: Window| refused(move |s| s.window((seconds(4), seconds(2))).window(window));
    let error = of_window(Window::new(seconds(3)));
    assert!(error.contains("of 3s is no multiple of the slide duration of 2s"), "{error}");
    assert!(error.contains("the nearest are 2s and 4s"), "{error}");
    let error = of_window(Window::new(seconds(4)).sliding(seconds(1)));
    assert!(error.contains("the slide duration of 1s") && error.contains("the shortest is 2s"), "{error}");
}

#[test]
fn a_window_after_the_start() {
    let (ssc, clock) = streaming_context();
    let numbers = test_input(&ssc, vec![Some(vec![1]); 2], 1);
    numbers.print();
    let running = ssc.start().unwrap();
    drop(numbers.window(seconds(2)));
    assert_eq!(numbers.storage_level(), StorageLevel::NONE, "what runs is not changed");
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("window at") && error.contains("after starting a context"), "{error}");
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
}
