//! The most frequent hashtags of the last while, anew every so often: a window by key, with an inverse and a filter.
//!
//! ```text
//! cargo run --release --example top_hashtags
//! ```
//!
//! It reads a batch of messages every 200 ms and prints, every 400 ms, the five top hashtags of the last 800 ms:
//!
//! ```text
//! -------------------------------------------
//! Time: 1795274766400 ms
//! -------------------------------------------
//! ("#rust", 3)
//! ("#streams", 2)
//! ("#batches", 1)
//! ("#windows", 1)
//! ```

use headwater::prelude::*;
use std::cmp::Reverse;

/// How many hashtags are told.
const TOP: usize = 5;

/// The hashtags that occur most often in a window of messages, and how often, the first first.
pub(crate) fn top_hashtags(messages: &DStream<Text>, window: impl Into<Window>) -> DStream<(Text, u64)> {
    let hashtags = messages.flat_map(|message| message.split_whitespace().filter(|word| word.starts_with('#')));
    // What a batch adds to a count is taken away when the batch leaves the window: no batch is counted twice. The filter
    // lets go of a hashtag that nobody uses any more; without it, it would stay, with a count of 0.
    let count = WindowReduce::new(|a, b| a + b, |a, b| a - b, window).filter(|_hashtag, count| *count != 0);
    let counts = hashtags.map(|hashtag| (hashtag, 1)).reduce_by_key_and_window_with(count);
    // The top of each partition, then the top of these: few records move.
    counts.map_partitions(top).repartition(1).map_partitions(top)
}

fn top(counts: impl Iterator<Item = (Text, u64)>) -> Vec<(Text, u64)> {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_cached_key(|(hashtag, count)| (Reverse(*count), hashtag.clone()));
    counts.truncate(TOP);
    counts
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("TopHashtags"), milliseconds(200))?;
    let queue = RddQueue::new();
    let batches: [&[&str]; 6] = [
        &["#rust and #streams", "small #batches in #rust"],
        &["#windows over #streams", "more #rust"],
        &["#joins", "#joins of #streams", "#state"],
        &["#timers and #state", "#joins"],
        &[],
        &["#timers"],
    ];
    for messages in batches {
        queue.push(ssc.context().parallelize(messages.iter().copied().map(Text::from).collect(), 2))?;
    }

    // The length of a window and how often there is one, both multiples of the batch interval.
    let window = Window::new(milliseconds(800)).sliding(milliseconds(400));
    top_hashtags(&ssc.queue_stream(&queue), window).print();

    let running = ssc.start()?;
    running.await_batches(6)?;
    running.stop()
}
