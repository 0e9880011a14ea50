//! An in-memory source: batch i gets element i.

use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::input::InputDStream;
use headwater_core::listener::{StreamId, StreamInputInfo};
use headwater_core::time::{DurationExt, Time};
use headwater_core::{Data, Record};
use std::sync::Arc;

/// The batches, and every how many milliseconds one is due.
struct InMemory<T> {
    batches: Vec<Option<Vec<T>>>,
    interval_ms: i64,
}
impl<T: Record + Clone> InMemory<T> {
    fn batch(&self, time: Time) -> Option<&[T]> {
        let number = (time.milliseconds() / self.interval_ms - 1) as usize;
        self.batches.get(number).map_or(Some(&[]), |batch| batch.as_deref())
    }
}
impl<T: Record + Clone> InputDStream for InMemory<T> {
    fn info(&self, stream: StreamId, time: Time) -> Option<StreamInputInfo> {
        Some(StreamInputInfo::new(stream, self.batch(time)?.len() as u64))
    }
}

/// A stream whose first batch has the first element's records in `partitions` partitions, and so on; behind the last
/// element, batches are empty. `None` is a batch without an RDD. Listeners hear of the number of records. The context must start at 0 ms.
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
    let (context, interval_ms) = (ssc.context().clone(), ssc.graph.batch_duration().milliseconds());
    let source = Arc::new(InMemory { batches, interval_ms });
    DStream::from_input(&ssc.graph, "test_input", source.clone(), move |time| {
        Ok(source.batch(time).map(|records| context.parallelize(records.to_vec(), partitions)))
    })
}
