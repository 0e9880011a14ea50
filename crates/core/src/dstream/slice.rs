//! `slice`: the RDDs of a stretch of time, for the driver.

use super::DStream;
use super::node::AnyDStream;
use crate::rdd::Rdd;
use crate::time::{Interval, Time};
use crate::{Error, Record, Result};

impl<T: Record> DStream<T> {
    /// The RDDs of the batches from `from` to `to`, both included, in their order; for a program that looks back. A
    /// time between two batches counts as the earlier one, with a warning. There is nothing before the start, and
    /// nothing after the newest batch that was generated. A batch that the stream has forgotten is an error: the stream
    /// remembers its slide duration, or what `StreamingContext::remember` says. So is a stream that has not started, and
    /// one made from a state that no output reads.
    ///
    /// Source: Spark's `slice`, which generates batches before their time, and makes forgotten ones anew from what
    /// their inputs have by then.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let numbers = testkit::test_input(&ssc, vec![Some(vec![1]), Some(vec![2]), Some(vec![3])], 1);
    /// numbers.print();
    /// ssc.remember(Duration::from_secs(10));
    /// let running = ssc.start()?;
    /// clock.advance(Duration::from_secs(3));
    /// running.await_batches(3)?;
    /// let batches = numbers.slice(Time::from_millis(2000), Time::from_millis(3000))?;
    /// assert_eq!(batches[0].union(&batches[1]).collect()?, [2, 3]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn slice(&self, from: Time, to: Time) -> Result<Vec<Rdd<T>>> {
        let slide = self.slide_duration();
        let Some(zero) = self.node.header().zero() else {
            return Err(Error::program(format!(
                "{} has not been initialized: the graph has not started",
                self.place()
            )));
        };
        if let Some(idle) = self.graph.idle_state(self.node.clone()) {
            return Err(Error::program(format!(
                "{}: slice: the state of {} is not kept, because no output reads it; give it an output",
                self.place(),
                idle.header().place()
            )));
        }
        let _nothing_is_forgotten_meanwhile = self.graph.look_back();
        let Some(newest) = self.graph.newest_batch().filter(|newest| from <= to.min(*newest) && to >= zero) else {
            return Ok(Vec::new());
        };
        let from = self.aligned(from.max(zero), zero)?.max(zero + slide);
        let to = if to > newest { newest.floor_from(slide, zero)? } else { self.aligned(to, zero)? };
        if let Some(forgotten) = self.node.forgotten().filter(|forgotten| from <= to.min(*forgotten)) {
            return Err(Error::program(format!(
                "{}: slice from {from}: the batches up to {forgotten} are forgotten; have them remembered longer with \
                 StreamingContext::remember",
                self.place()
            )));
        }
        let rdds = from.to(to, slide)?.map(|time| self.node.get_or_compute(time));
        rdds.filter_map(Result::transpose).collect()
    }

    /// [`DStream::slice`] from the interval's begin to its end, both included.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let numbers = testkit::test_input(&ssc, vec![Some(vec![1]), Some(vec![2])], 1);
    /// numbers.print();
    /// ssc.remember(Duration::from_secs(10));
    /// let running = ssc.start()?;
    /// clock.advance(Duration::from_secs(2));
    /// running.await_batches(2)?;
    /// let both = Interval::new(Time::from_millis(1000), Time::from_millis(2000));
    /// assert_eq!(numbers.slice_interval(both)?.len(), 2);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn slice_interval(&self, interval: Interval) -> Result<Vec<Rdd<T>>> {
        self.slice(interval.begin, interval.end)
    }

    /// The stream's batch time at or before `time`.
    fn aligned(&self, time: Time, zero: Time) -> Result<Time> {
        let floored = time.floor_from(self.slide_duration(), zero)?;
        if floored != time {
            let message = format!("{}: slice: {time} is no batch time, taken as {floored}", self.place());
            self.context().env().console.warn(&message);
        }
        Ok(floored)
    }
}
