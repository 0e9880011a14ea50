//! `foreach_rdd`: the user's own output.

use super::node::AnyDStream;
use super::{DStream, DStreamGraph};
use crate::rdd::Rdd;
use crate::sink::FailurePolicy;
use crate::time::Time;
use crate::{Closure, Error, ErrorKind, Record, Result};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// An output operation: `f` runs once per batch, on the driver, with the batch's RDD and time, and may run any
    /// number of actions on it. It returns nothing or a `Result`; an error fails the batch's job, and
    /// `await_termination` returns it. A batch may run again after a failure: write so that a second time does no harm.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let queue = RddQueue::new();
    /// queue.push(ssc.context().parallelize(vec![1, 2, 3], 2))?;
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.queue_stream(&queue).foreach_rdd(move |rdd, time| -> headwater::Result<()> {
    ///     sent.send((time, rdd.collect()?)).unwrap();
    ///     Ok(())
    /// });
    /// let running = ssc.start()?;
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(received.recv().unwrap(), (Time::from_millis(1000), vec![1, 2, 3]));
    /// running.stop();
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn foreach_rdd<R: JobOutcome>(&self, f: impl Fn(Rdd<T>, Time) -> R + Closure) -> OutputOperation {
        self.users_output("foreach_rdd", move |rdd, time| f(rdd, time).into_result())
    }
}

/// An output operation of the program, to be named.
pub struct OutputOperation {
    pub(super) node: Arc<dyn AnyDStream>,
    pub(super) graph: Arc<DStreamGraph>,
}

impl OutputOperation {
    /// Names the output for good: what it has written, later, is found by this name after the program changed.
    ///
    /// ```
    /// use headwater::testkit;
    /// let (ssc, _clock) = testkit::streaming_context();
    /// testkit::test_input(&ssc, vec![Some(vec![1])], 1).print().uid("numbers");
    /// let running = ssc.start()?;
    /// assert_eq!(running.operators().last().unwrap().0.as_str(), "numbers");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn uid(self, name: impl Into<String>) -> OutputOperation {
        self.graph.name(self.node.header(), name.into());
        self
    }
    /// What follows when the output fails for a batch: without it, [`FailurePolicy::stop`].
    ///
    /// ```
    /// use headwater::{prelude::*, sink::FailurePolicy, testkit};
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let tries = AtomicU32::new(0);
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.rate_stream(1, 1, |n| n)
    ///     .foreach_rdd(move |_, time| match tries.fetch_add(1, Ordering::Relaxed) {
    ///         0 | 1 => Err("the mail server is away"),
    ///         _ => Ok(sent.send(time).unwrap()),
    ///     })
    ///     .on_failure(FailurePolicy::retry(2, Duration::ZERO));
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// assert_eq!(received.recv().unwrap(), Time::from_millis(1000));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn on_failure(self, policy: FailurePolicy) -> OutputOperation {
        self.graph.set_policy(&self.node, policy);
        self
    }
}

/// What the body of an output may return: nothing, or a `Result` with any error.
#[diagnostic::on_unimplemented(
    message = "an output operation returns `()` or a `Result<(), E>`, not `{Self}`",
    note = "end the closure with `;`, or with `Ok(())` where it uses `?`"
)]
pub trait JobOutcome {
    /// As a result of the job.
    fn into_result(self) -> Result<()>;
}
impl JobOutcome for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}
impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> JobOutcome for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(|error| {
            let error: Box<dyn std::error::Error + Send + Sync> = error.into();
            match error.downcast::<Error>() {
                Ok(own) => *own,
                Err(other) => Error::new(ErrorKind::Data, "the output failed").because(other),
            }
        })
    }
}
