//! The programs of the examples, on both engines: with workers that share no memory they give the same.

#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/blacklist.rs"]
mod blacklist;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/log_analysis.rs"]
mod log_analysis;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/spam_filter.rs"]
mod spam_filter;

use headwater::prelude::*;
use headwater::testkit::{check_on_both_engines, isolated, streaming_context, test_input};
use headwater::{LongAccumulator, StreamingContext};
use log_analysis::Level;

fn texts(batches: &[&[&str]]) -> Vec<Vec<Text>> {
    batches.iter().map(|batch| batch.iter().copied().map(Text::from).collect()).collect()
}
fn pair(left: &str, right: &str) -> (String, String) {
    (left.to_string(), right.to_string())
}

/// What the accumulator of a program holds after `batches` batches, on the local and on the isolated engine.
fn counted(build: fn(&StreamingContext) -> LongAccumulator, batches: u64) -> [i64; 2] {
    let (local, local_clock) = streaming_context();
    let local_counter = build(&local);
    let (away, away_clock, away_counter) = isolated(build);
    [(local, local_clock, local_counter), (away, away_clock, away_counter)].map(|(ssc, clock, counter)| {
        let running = ssc.start().unwrap();
        for batch in 1..=batches {
            clock.advance(seconds(1));
            running.await_batches(batch).unwrap();
        }
        counter.value()
    })
}

#[test]
fn the_spam_filter_keeps_all_but_spam() {
    let messages = [
        vec![pair("ann", "lunch?"), pair("mallory", "you have won"), pair("bob", "the figures"), pair("ann", "?")],
        vec![],
        vec![pair("trudy", "cheap pills")],
    ];
    let kept = [vec![pair("ann", "lunch?"), pair("ann", "?"), pair("bob", "the figures")], vec![], vec![]];
    check_on_both_engines(messages, |messages| spam_filter::without_spam(&messages), kept);
}

#[test]
fn the_blacklist_leaves_out_its_words() {
    let lines = texts(&[&["the a hat", "b"], &[], &["c cat", "cat"]]);
    let count = |word: &str, count| (Text::from(word), count);
    let counts = [vec![count("the", 1), count("hat", 1)], vec![], vec![count("cat", 2)]];
    check_on_both_engines(lines, |lines| blacklist::counts_without_blacklisted(&lines).0, counts);
}

#[test]
fn the_blacklist_counts_each_word_that_it_leaves_out_once() {
    let build = |ssc: &StreamingContext| {
        let lines = texts(&[&["the a hat", "b"], &["c cat", "cat"]]).into_iter().map(Some).collect();
        let (counts, left_out) = blacklist::counts_without_blacklisted(&test_input(ssc, lines, 2));
        // Two actions read what the filter is part of: the shuffle keeps it, and so it runs once.
        counts.foreach_rdd(|rdd, _| rdd.count().and_then(|_| rdd.collect()).map(drop));
        left_out
    };
    assert_eq!(counted(build, 2), [3, 3]);
}

#[test]
fn the_log_analysis_counts_by_level_and_passes_over_bad_lines() {
    let lines = || texts(&[&["1 INFO a", "2 ERROR b", "garbled", "3 ERROR c"], &[], &["", "4 WARN d"]]);
    let counts = [vec![(Level::Info, 1), (Level::Error, 2)], vec![], vec![(Level::Warn, 1)]];
    check_on_both_engines(lines(), |lines| log_analysis::count_by_level(&lines).0, counts);
    let build = |ssc: &StreamingContext| {
        let lines = texts(&[&["1 INFO a", "garbled"], &["", "4 WARN d"]]).into_iter().map(Some).collect();
        let (counts, unreadable) = log_analysis::count_by_level(&test_input(ssc, lines, 2));
        counts.print();
        unreadable
    };
    assert_eq!(counted(build, 2), [2, 2]);
}
