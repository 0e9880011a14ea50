//! `range`: evenly spaced integers, made where they are computed.

use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use std::ops::Range;

impl RddContext {
    /// The integers `start`, `start + step`, ... that lie before `end`, in `partitions` runs of nearly equal length. A
    /// negative step counts down, from a start above the end. None is held in memory. A step of 0 and a number of
    /// partitions out of range are errors of the job.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.range(0..10, 3, 2).glom().collect()?, [[0, 3], [6, 9]]);
    /// let (high, low) = (3, 0);
    /// assert_eq!(context.range(high..low, -1, 1).collect()?, [3, 2, 1]);
    /// assert_eq!(context.range(0..1_000_000_000_000, 1_000_000, 4).count()?, 1_000_000);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn range(&self, range: Range<i64>, step: i64, partitions: usize) -> Rdd<i64> {
        let Range { start, end } = range;
        let (distance, stride) = (i128::from(end) - i128::from(start), i128::from(step));
        let count = if step == 0 { 0 } else { (distance + stride - stride.signum()) / stride };
        let rdd = Rdd::from_node(self, Integers { start, step, count: count.max(0) as u128, partitions });
        if step == 0 {
            return rdd.broken(format!("range({start}..{end}, 0, {partitions}): the step must not be 0"));
        }
        rdd.refuse_partitions("range", partitions).unwrap_or(rdd)
    }
}

struct Integers {
    start: i64,
    step: i64,
    /// Up to 2^64.
    count: u128,
    partitions: usize,
}
impl Node<i64> for Integers {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, i64>) -> Outcome {
        let cut = |n: usize| n as u128 * self.count / self.partitions as u128;
        let (mut from, to) = (cut(task.partition()), cut(task.partition() + 1));
        let mut chunk = Vec::with_capacity(CHUNK);
        while from < to {
            task.check()?;
            let len = (to - from).min(CHUNK as u128);
            // Each lies between start and end: only the products in between may wrap.
            let first = self.start.wrapping_add((from as i64).wrapping_mul(self.step));
            chunk.extend((0..len as i64).map(|n| first.wrapping_add(n.wrapping_mul(self.step))));
            sink(&mut chunk)?;
            from += len;
        }
        Ok(())
    }
}
