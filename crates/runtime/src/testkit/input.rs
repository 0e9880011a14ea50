//! An in-memory source: batch i gets element i.

use crate::context::StreamingContext;
use headwater_core::Data;
use headwater_core::dstream::DStream;
use headwater_core::input::InputDStream;
use headwater_core::time::DurationExt;
use std::sync::Arc;

struct InMemory;
impl InputDStream for InMemory {}

/// A stream whose first batch has the first element's records in `partitions` partitions, and so on; behind the last
/// element, batches are empty. `None` is a batch without an RDD. The context must start at 0 ms.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// let (ssc, clock) = testkit::streaming_context();
/// let numbers = testkit::test_input(&ssc, vec![Some(vec![1, 2]), None], 1);
/// let (sent, received) = std::sync::mpsc::channel();
/// numbers.foreach_rdd(move |rdd, time| sent.send((time.milliseconds(), rdd.collect().unwrap())).unwrap());
/// let running = ssc.start()?;
/// clock.advance(Duration::from_secs(3));
/// running.await_batches(3)?;
/// assert_eq!(received.try_iter().collect::<Vec<_>>(), [(1000, vec![1, 2]), (3000, vec![])]);
/// # Ok::<(), headwater::Error>(())
/// ```
#[track_caller]
pub fn test_input<T: Data>(ssc: &StreamingContext, batches: Vec<Option<Vec<T>>>, partitions: usize) -> DStream<T> {
    let (context, interval) = (ssc.context().clone(), ssc.graph.batch_duration().milliseconds());
    DStream::from_input(&ssc.graph, "test_input", Arc::new(InMemory), move |time| {
        let number = (time.milliseconds() / interval - 1) as usize;
        let records = batches.get(number).cloned().unwrap_or(Some(Vec::new()));
        Ok(records.map(|records| context.parallelize(records, partitions)))
    })
}
