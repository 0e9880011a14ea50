//! `direct_stream`: batches of ranges of a source that keeps its records itself; and `rate_stream`, whose records are
//! made from their numbers.

use crate::conf::keys;
use crate::context::StreamingContext;
use headwater_core::direct::{DirectInput, DirectSource, RateSource};
use headwater_core::dstream::DStream;
use headwater_core::{Closure, Record};
use std::panic::Location;
use std::sync::Arc;

impl StreamingContext {
    /// The records of a source that keeps them itself, in partitions, under offsets: each batch has, of each partition,
    /// the range from where the last one ended to what there is, or to what is due at
    /// [`Conf::max_rate_per_partition`](crate::Conf::max_rate_per_partition). The ranges are fixed when the batch is made;
    /// tasks, one for each partition, read them, at each try and in each process the same. There is no receiver, and
    /// nothing is held in memory. A partition that appears later is read from its oldest record.
    ///
    /// A source that cannot be asked, or of which something is gone that no batch had, is an error of
    /// `await_termination`; the batch has nothing of it (or of that partition), and the next one asks again. A graceful
    /// stop leaves in the source what no batch has. Listeners hear of the ranges, and how much is left. Source: Spark's
    /// `KafkaUtils.createDirectStream`, for any source.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let orders = testkit::MemorySource::new("orders", 2);
    /// orders.append(0, ["tea", "milk"].map(str::to_string))?;
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.direct_stream(orders.clone()).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// assert_eq!(received.recv().unwrap(), ["tea", "milk"]);
    /// orders.append(1, ["jam".to_string()])?;
    /// clock.advance(seconds(1));
    /// assert_eq!(received.recv().unwrap(), ["jam"]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn direct_stream<S: DirectSource>(&self, source: S) -> DStream<S::Record> {
        self.direct("direct_stream", source)
    }

    /// The records `record(0)`, `record(1)`, ..., `records_per_second` of them a second (1 to 1,000,000,000), dealt out
    /// to `partitions`. How many a batch has follows from its time, not from the clock: missed batches are made up for
    /// with their own numbers, and the same batch has the same records again. Parts of a record go into a later batch.
    /// Above [`Conf::max_rate_per_partition`](crate::Conf::max_rate_per_partition) fewer come, and none is left out. A
    /// rate or number of partitions out of range fails the start. Source: the `rate` source of Spark's structured
    /// streams.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let (sent, received) = std::sync::mpsc::channel();
    /// let readings = ssc.rate_stream(4, 2, |number| (number % 3, number * 10));
    /// readings.foreach_rdd(move |rdd, _| sent.send(rdd.glom().collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(seconds(2));
    /// assert_eq!(received.recv().unwrap(), [[(0, 0), (2, 20)], [(1, 10), (0, 30)]]);
    /// assert_eq!(received.recv().unwrap(), [[(1, 40), (0, 60)], [(2, 50), (1, 70)]]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn rate_stream<T: Record, F: Fn(u64) -> T + Closure>(
        &self,
        records_per_second: u64,
        partitions: usize,
        record: F,
    ) -> DStream<T> {
        let (record, place) = (Arc::new(record), Location::caller());
        let made_by = |record: Arc<F>| move |number| record(number);
        let source = RateSource::new(records_per_second, partitions, made_by(record.clone())).unwrap_or_else(|error| {
            self.graph.refuse(error.within(format!("rate_stream at {place}")));
            RateSource::new(1, 1, made_by(record)).expect("one record a second in one partition can be")
        });
        self.direct("rate_stream", source)
    }

    #[track_caller]
    fn direct<S: DirectSource>(&self, kind: &'static str, source: S) -> DStream<S::Record> {
        let place = format!("{kind} at {}", Location::caller());
        let limit = self.conf.number(&keys::MAX_RATE_PER_PARTITION);
        let input = DirectInput::new(source, place, self.graph.batch_duration(), limit);
        DStream::from_direct(&self.graph, kind, Arc::new(input))
    }
}
