//! A program for workers that share no memory, which shares memory.
//~ this program captures something that every process would have for itself
use headwater::testkit::check_on_both_engines;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    let seen = Arc::new(AtomicU64::new(0));
    let program = move |numbers: headwater::DStream<u64>| {
        let seen = seen.clone();
        numbers.map(move |n| n + seen.fetch_add(1, Ordering::Relaxed))
    };
    check_on_both_engines([vec![1]], program, [vec![1]]);
}
