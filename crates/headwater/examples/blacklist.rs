//! Counts words without those of a list, by a broadcast value, and counts what it left out in an accumulator: the body
//! of Spark's `RecoverableNetworkWordCount`.
//!
//! ```text
//! cargo run --release --example blacklist
//! ```
//!
//! It prints the counts of every batch and how many words were left out so far:
//!
//! ```text
//! counts at time 1795274766200 ms: [("hat", 1), ("the", 1)]
//! left out so far: 2
//! counts at time 1795274766400 ms: [("cat", 2)]
//! left out so far: 3
//! ```

use headwater::LongAccumulator;
use headwater::prelude::*;

/// The counts of the words that are not on the list, and how many words are.
pub(crate) fn counts_without_blacklisted(lines: &DStream<Text>) -> (DStream<(Text, u64)>, LongAccumulator) {
    // Every task reads a broadcast value, and adds to an accumulator, whose value the driver reads.
    let blacklist = lines.context().broadcast(["a", "b", "c"].map(Text::from).to_vec());
    let left_out = lines.context().long_accumulator("words left out");

    let words = lines.flat_map(|line| line.split(' '));
    let counter = left_out.clone();
    let allowed = words.filter(move |word| {
        let listed = blacklist.value().contains(word);
        if listed {
            counter.add(1);
        }
        !listed
    });
    (allowed.map(|word| (word, 1)).reduce_by_key(|a, b| a + b), left_out)
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("Blacklist"), milliseconds(200))?;
    let queue = RddQueue::new();
    for lines in [["the a hat", "b"], ["c cat", "cat"]] {
        queue.push(ssc.context().parallelize(lines.map(Text::from).to_vec(), 2))?;
    }

    let (counts, left_out) = counts_without_blacklisted(&ssc.queue_stream(&queue));
    // Runs on the driver, once per batch: the `collect` is a job, whose tasks have added to the accumulator when it ends.
    counts.foreach_rdd(move |batch, time| -> headwater::Result<()> {
        let mut counts = batch.collect()?;
        counts.sort();
        println!("counts at time {time}: {counts:?}");
        println!("left out so far: {}", left_out.value());
        Ok(())
    });

    let running = ssc.start()?;
    running.await_batches(2)?;
    running.stop()
}
