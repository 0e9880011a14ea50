//! The programs of the examples, on both engines: with workers that share no memory they give the same.

#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/blacklist.rs"]
mod blacklist;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/log_analysis.rs"]
mod log_analysis;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/sessionization.rs"]
mod sessionization;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/spam_filter.rs"]
mod spam_filter;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/stateful_network_word_count.rs"]
mod stateful_network_word_count;
#[expect(dead_code, reason = "the test calls what the example's main calls")]
#[path = "../../examples/top_hashtags.rs"]
mod top_hashtags;

use headwater::prelude::*;
use headwater::testkit::{Check, check_on_both_engines, isolated, streaming_context, test_input};
use headwater::{LongAccumulator, StreamingContext};
use log_analysis::Level;
use stateful_network_word_count::words;

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

#[test]
fn the_stateful_word_count_goes_on_from_its_initial_counts() {
    let lines = || texts(&[&["hello hello", "you"], &[], &["hello you"]]);
    let counts = |counts: &[(&str, u64)]| -> Vec<(Text, u64)> {
        counts.iter().map(|(word, count)| (Text::from(*word), *count)).collect()
    };
    let initial = |lines: &DStream<Text>| {
        let known = [("hello", 1), ("world", 1)].map(|(word, count)| (Text::from(word), count));
        lines.context().parallelize(known.to_vec(), 1)
    };
    let of_batches = [counts(&[("hello", 3), ("you", 1)]), vec![], counts(&[("hello", 4), ("you", 2)])];
    check_on_both_engines(
        lines(),
        move |lines| stateful_network_word_count::counts_of_the_batch(&words(&lines), &initial(&lines)),
        of_batches,
    );
    let all = counts(&[("hello", 3), ("world", 1), ("you", 1)]);
    check_on_both_engines(
        lines(),
        move |lines| stateful_network_word_count::counts_of_all(&words(&lines), &initial(&lines)),
        [all.clone(), all, counts(&[("hello", 4), ("world", 1), ("you", 2)])],
    );
}

#[test]
fn the_top_hashtags_are_those_of_the_window() {
    let messages = texts(&[&["#a #b", "#a"], &["no tag"], &["#c #d #e #f #g", "#c"], &[], &[], &[]]);
    let tops = |tops: &[(&str, u64)]| tops.iter().map(|(tag, count)| (Text::from(*tag), *count)).collect::<Vec<_>>();
    // Every two batches, of the last three: by count and then by name, five at most.
    let expected =
        [tops(&[("#a", 2), ("#b", 1)]), tops(&[("#c", 2), ("#d", 1), ("#e", 1), ("#f", 1), ("#g", 1)]), vec![]];
    let program = |messages| top_hashtags::top_hashtags(&messages, (seconds(3), seconds(2)));
    Check::new().in_order().on_both_engines().run(messages, program, expected);
}

#[test]
fn a_session_ends_when_its_user_is_idle_and_is_reported_on_while_it_lasts() {
    let click = pair;
    let clicks = [
        vec![click("ann", "/home"), click("bob", "/home")],
        vec![click("ann", "/hats"), click("ann", "/hats?page=2")],
        vec![],
        vec![click("ann", "/cart")],
        vec![click("ann", "/pay")],
        vec![],
        vec![],
        vec![click("bob", "/home")],
    ];
    let session = |user: &str, pages, length, is_over| sessionization::Session {
        user: user.to_string(),
        pages,
        length: seconds(length),
        is_over,
    };
    let none = Vec::new;
    let reports = [
        none(),
        none(),
        none(),
        vec![session("bob", 1, 0, true), session("ann", 4, 3, false)],
        none(),
        none(),
        none(),
        vec![session("ann", 5, 4, true)],
    ];
    let program = |clicks| sessionization::sessions(&clicks, milliseconds(2500), seconds(3));
    check_on_both_engines(clicks, program, reports);
}
