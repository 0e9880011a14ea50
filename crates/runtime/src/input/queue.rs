//! `queue_stream`: RDDs that the program itself puts into a queue; for tests and for trying things out.

use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::input::{InputDStream, Unprocessed};
use headwater_core::rdd::{Rdd, RddContext};
use headwater_core::{Data, Error, ErrorKind, Record, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// RDDs that a queue holds at most.
const QUEUED_MAX: usize = 10_000;

/// A queue of RDDs between the program and its stream. Cloning copies the handle.
pub struct RddQueue<T> {
    shared: Arc<Mutex<VecDeque<Rdd<T>>>>,
    one_at_a_time: bool,
    default: Option<Rdd<T>>,
}
impl<T> Clone for RddQueue<T> {
    fn clone(&self) -> Self {
        let (shared, default) = (self.shared.clone(), self.default.clone());
        RddQueue { shared, one_at_a_time: self.one_at_a_time, default }
    }
}
impl<T: Record> Default for RddQueue<T> {
    fn default() -> Self {
        RddQueue::new()
    }
}

impl<T: Record> RddQueue<T> {
    /// An empty queue, of which each batch takes one RDD.
    pub fn new() -> RddQueue<T> {
        RddQueue { shared: Arc::default(), one_at_a_time: true, default: None }
    }
    /// Lets each batch take all that is queued, as their union.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let queue = RddQueue::new().all_at_once();
    /// queue.push(ssc.context().parallelize(vec![1], 1))?;
    /// queue.push(ssc.context().parallelize(vec![2], 1))?;
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.queue_stream(&queue).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(received.recv().unwrap(), [1, 2]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn all_at_once(mut self) -> RddQueue<T> {
        self.one_at_a_time = false;
        self
    }
    /// What a batch takes when the queue is empty; without it an RDD without records in one partition.
    pub fn default_rdd(mut self, rdd: Rdd<T>) -> RddQueue<T> {
        self.default = Some(rdd);
        self
    }
    /// Adds an RDD, before or after the start. At 10,000 queued RDDs it is refused.
    pub fn push(&self, rdd: Rdd<T>) -> Result<()> {
        let mut queue = self.lock();
        if queue.len() == QUEUED_MAX {
            return Err(Error::new(
                ErrorKind::Resources,
                format!("the RDD queue is full: {QUEUED_MAX} wait for a batch"),
            ));
        }
        queue.push_back(rdd);
        Ok(())
    }
    fn take(&self, context: &RddContext) -> Rdd<T> {
        let mut queue = self.lock();
        let taken = if self.one_at_a_time { queue.len().min(1) } else { queue.len() };
        let mut taken: Vec<Rdd<T>> = queue.drain(..taken).collect();
        match taken.len() {
            0 => self.default.clone().unwrap_or_else(|| context.empty_partition()),
            1 => taken.remove(0),
            _ => context.union(taken),
        }
    }
    fn lock(&self) -> MutexGuard<'_, VecDeque<Rdd<T>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct QueueSource<T>(RddQueue<T>);
impl<T: Record> InputDStream for QueueSource<T> {
    fn has_unallocated(&self) -> bool {
        !self.0.lock().is_empty()
    }
    /// Of batches that are not done the queue knows nothing.
    fn unprocessed(&self) -> Option<Unprocessed> {
        Some(Unprocessed::new(self.0.lock().len(), "datasets"))
    }
}

impl StreamingContext {
    /// A stream whose batches are taken from `queue`, one RDD a batch or all that are there
    /// ([`RddQueue::all_at_once`]). Every batch takes from the queue, whether an output reads it or not. A graceful
    /// stop waits until the queue is empty. Source: Spark's `queueStream`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let queue = RddQueue::new();
    /// queue.push(ssc.context().parallelize(vec![1, 2, 3], 2))?;
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.queue_stream(&queue).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(received.recv().unwrap(), [1, 2, 3]);
    /// assert_eq!(received.recv().unwrap(), [0; 0]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn queue_stream<T: Data>(&self, queue: &RddQueue<T>) -> DStream<T> {
        let (queue, context) = (queue.clone(), self.context().clone());
        let source = Arc::new(QueueSource(queue.clone()));
        DStream::from_input(&self.graph, "queue_stream", source, move |_| Ok(Some(queue.take(&context))))
    }
}
