//! Feeds a stream from a queue of datasets that the program itself fills: Spark's `QueueStream`. Good for trying things
//! out, and for tests.
//!
//! ```text
//! cargo run --release --example queue_stream
//! ```
//!
//! It counts the numbers from 1 to 1000 by their last digit, three times, and prints the counts of every batch:
//!
//! ```text
//! -------------------------------------------
//! Time: 1795274766200 ms
//! -------------------------------------------
//! (3, 100)
//! (7, 100)
//! ...
//! ```

use headwater::prelude::*;

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("QueueStream"), milliseconds(200))?;
    // Starting consumes the streaming context; what makes datasets is kept for later.
    let context = ssc.context().clone();

    let queue = RddQueue::new();
    let numbers = ssc.queue_stream(&queue);
    let by_last_digit = numbers.map(|n: u64| (n % 10, 1)).reduce_by_key(|a, b| a + b);
    by_last_digit.print();

    let running = ssc.start()?;
    for batch in 1..=3 {
        queue.push(context.parallelize((1..=1000).collect(), 10))?;
        running.await_batches(batch)?;
    }
    // What is still in the queue is processed first.
    running.stop_gracefully()
}
