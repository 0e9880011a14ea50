//! Joins every batch with a dataset that does not stream, by `transform`: the spam filter of Spark's guide.
//!
//! ```text
//! cargo run --release --example spam_filter
//! ```
//!
//! It prints the messages of senders that are not known for spam:
//!
//! ```text
//! -------------------------------------------
//! Time: 1795274766200 ms
//! -------------------------------------------
//! ("ann", "lunch?")
//! ("bob", "the figures")
//! ```

use headwater::prelude::*;

/// A sender above this is kept out.
const SPAM_SCORE_MAX: f64 = 0.5;

/// The messages, by sender, without those of spammers.
pub(crate) fn without_spam(messages: &DStream<(String, String)>) -> DStream<(String, String)> {
    // A real program reads its scores from a file: `messages.context().text_file(...)`.
    let scores = [("ann", 0.1), ("mallory", 0.9), ("trudy", 0.8)].map(|(sender, score)| (sender.to_string(), score));
    let scores = messages.context().parallelize(scores.to_vec(), 2);
    // `transform` applies any operation of datasets to each batch. A sender without a score passes.
    let scored = messages.transform(move |batch, _time| batch.left_outer_join(&scores));
    let good = scored.filter(|(_sender, (_message, score))| score.is_none_or(|score| score <= SPAM_SCORE_MAX));
    good.map_values(|(message, _score)| message)
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("SpamFilter"), milliseconds(200))?;
    let queue = RddQueue::new();
    let batches: [&[(&str, &str)]; 2] = [
        &[("ann", "lunch?"), ("mallory", "you have won"), ("bob", "the figures")],
        &[("trudy", "cheap pills"), ("ann", "where are you?")],
    ];
    for batch in batches {
        let messages = batch.iter().map(|(sender, message)| (sender.to_string(), message.to_string())).collect();
        queue.push(ssc.context().parallelize(messages, 2))?;
    }

    without_spam(&ssc.queue_stream(&queue)).print();

    let running = ssc.start()?;
    running.await_batches(2)?;
    running.stop()
}
