//! Joins two streams: in every batch, the records of one with those of the other that have the same key.
//!
//! ```text
//! cargo run --release --example stream_joins
//! ```
//!
//! Advertisements are shown and clicked. It prints which were clicked in the batch in which they were shown, and which
//! were not:
//!
//! ```text
//! -------------------------------------------
//! Time: 1795274766200 ms
//! -------------------------------------------
//! ("shown and clicked", (2, ("trains", "left button")))
//!
//! -------------------------------------------
//! Time: 1795274766200 ms
//! -------------------------------------------
//! ("shown, not clicked", (1, "boats"))
//! ```

use headwater::prelude::*;

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("StreamJoins"), milliseconds(200))?;
    let (shown_queue, clicked_queue) = (RddQueue::new(), RddQueue::new());
    let shown = ssc.queue_stream(&shown_queue);
    let clicked = ssc.queue_stream(&clicked_queue);

    // Pairs are joined by their first half. The result of a join can be used as any other stream of pairs.
    let both = shown.join(&clicked);
    both.map(|pair| ("shown and clicked", pair)).print();

    // An outer join keeps what has no partner: `None` stands in its place.
    let all = shown.left_outer_join(&clicked);
    let ignored = all.filter(|(_, (_, click))| click.is_none()).map_values(|(name, _)| name);
    ignored.map(|pair| ("shown, not clicked", pair)).print();

    let pairs = |pairs: &[(u32, &str)]| -> Vec<(u32, String)> {
        pairs.iter().map(|(number, text)| (*number, text.to_string())).collect()
    };
    let context = ssc.context();
    shown_queue.push(context.parallelize(pairs(&[(1, "boats"), (2, "trains")]), 2))?;
    clicked_queue.push(context.parallelize(pairs(&[(2, "left button"), (9, "right button")]), 2))?;
    shown_queue.push(context.parallelize(pairs(&[(3, "planes")]), 1))?;
    clicked_queue.push(context.parallelize(pairs(&[(3, "left button"), (3, "left button")]), 1))?;

    let running = ssc.start()?;
    running.await_batches(2)?;
    running.stop()
}
