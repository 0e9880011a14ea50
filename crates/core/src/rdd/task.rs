//! [`Task`]: one attempt at one partition, as the nodes of the chain see it; and [`TaskContext`], as the user's code
//! does.

use super::{Outcome, Stop};
use crate::accumulator::{AccumulatorUpdates, gathering, outside};
use crate::dead_letters::LetterSource;
use crate::direct::OffsetRange;
use crate::origin::{OperatorId, Origin};
use crate::time::Time;
use crate::{Error, ErrorKind, panic_message};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

/// Which task runs the user's code: the partition and the batch time name what it writes for good, the attempt tells a
/// retry from the first try. Source: Spark's `TaskContext`.
///
/// ```
/// use headwater::TaskContext;
/// let context = headwater::testkit::context();
/// let partitions = context.parallelize(vec!['a', 'b'], 2).map(|_| TaskContext::get().unwrap().partition_id());
/// assert_eq!(partitions.collect()?, [0, 1]);
/// assert!(TaskContext::get().is_none());
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskContext {
    partition_id: usize,
    attempt_number: usize,
    stage_id: u64,
    batch_time: Option<Time>,
}

impl TaskContext {
    /// For engines: the task of `partition_id` of a stage, tried for the `attempt_number`th time, from 0.
    pub fn new(partition_id: usize, attempt_number: usize, stage_id: u64, batch_time: Option<Time>) -> TaskContext {
        TaskContext { partition_id, attempt_number, stage_id, batch_time }
    }
    /// The task that runs on this thread, if one does: in a closure of an operator, not in one of an output.
    pub fn get() -> Option<TaskContext> {
        CURRENT.get()
    }
    /// The partition of its stage that it computes, from 0.
    pub fn partition_id(&self) -> usize {
        self.partition_id
    }
    /// 0 for the first try at this partition.
    pub fn attempt_number(&self) -> usize {
        self.attempt_number
    }
    /// The number of its stage, unique in the engine's life.
    pub fn stage_id(&self) -> u64 {
        self.stage_id
    }
    /// The batch that it is for; none for a job outside of batches.
    pub fn batch_time(&self) -> Option<Time> {
        self.batch_time
    }

    /// What names the work of the task for good, within one output: batch time and partition. Each try has the same one, and so
    /// has each process that runs the batch again, as long as the dataset is cut into the same partitions. A transaction that
    /// takes note of it beside what it writes, and is skipped where it is noted, writes once. None outside of batches. Source:
    /// `generateUniqueId` of Spark's programming guide, "Semantics of output operations".
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use std::{collections::BTreeMap, sync::{Arc, Mutex}};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let table = Arc::new(Mutex::new(BTreeMap::new()));
    /// let rows = table.clone();
    /// ssc.rate_stream(4, 2, |n| n).for_each_partition(move |numbers, task| {
    ///     let id = task.unique_id().expect("an output belongs to a batch");
    ///     rows.lock().unwrap().entry(id).or_insert_with(|| numbers.sum::<u64>());
    /// });
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// let second = Time::from_millis(1000);
    /// assert_eq!(*table.lock().unwrap(), BTreeMap::from([((second, 0), 2), ((second, 1), 4)]));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn unique_id(&self) -> Option<(Time, usize)> {
        Some((self.batch_time?, self.partition_id))
    }

    /// For engines: runs `body` as if no task ran on this thread; code of the driver, or what makes a batch's RDDs.
    pub fn outside_of_tasks<R>(body: impl FnOnce() -> R) -> R {
        let _restore = Restore(CURRENT.replace(None));
        outside(body)
    }

    /// Runs this attempt on the calling thread: `run` with the task. A panic becomes an error that names the operator.
    /// What the attempt added to accumulators counts only if it has succeeded.
    pub fn attempt(
        self,
        cancelled: &AtomicBool,
        run: impl FnOnce(&Task<'_>) -> Outcome,
    ) -> Result<AccumulatorUpdates, Stop> {
        let state = TaskState { context: self, operator: Cell::new(None), reading: Cell::new(None), cancelled };
        let task = Task { partition: self.partition_id, state: &state };
        task.check()?;
        let before = CURRENT.replace(Some(self));
        let (outcome, updates) = gathering(|| catch_unwind(AssertUnwindSafe(|| run(&task))));
        CURRENT.set(before);
        match outcome {
            Ok(Ok(())) => Ok(updates),
            Ok(Err(stop)) => {
                updates.discard();
                Err(stop)
            }
            Err(panic) => {
                updates.discard();
                let message = panic_message(&*panic);
                let blamed = match state.operator.get() {
                    Some(operator) => format!("{operator} panicked: {message}"),
                    None => format!("the task panicked: {message}"),
                };
                Err(Error::new(ErrorKind::Data, blamed).into())
            }
        }
    }
}

/// Sets the thread's task again when it is dropped.
struct Restore(Option<TaskContext>);
impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

thread_local! {
    static CURRENT: Cell<Option<TaskContext>> = const { Cell::new(None) };
}

/// One attempt at one partition.
pub struct Task<'a> {
    partition: usize,
    state: &'a TaskState<'a>,
}

/// What all views of one task share.
struct TaskState<'a> {
    context: TaskContext,
    /// The operator whose user code runs now: what a caught panic is blamed on.
    operator: Cell<Option<Origin>>,
    /// The range of a source that is being read, and whose.
    reading: Cell<Option<(OperatorId, OffsetRange)>>,
    cancelled: &'a AtomicBool,
}

impl<'a> Task<'a> {
    /// The partition to compute.
    pub fn partition(&self) -> usize {
        self.partition
    }
    /// What the user's code sees of it.
    pub fn context(&self) -> TaskContext {
        self.state.context
    }
    /// 0 for the first try.
    pub fn attempt(&self) -> usize {
        self.state.context.attempt_number
    }
    /// The same task at a parent's `partition`.
    pub fn at(&self, partition: usize) -> Task<'a> {
        Task { partition, ..*self }
    }
    /// Notes that the user's code of `operator` runs from here on; once per chunk.
    #[inline(always)]
    pub fn enter(&self, operator: Origin) {
        self.state.operator.set(Some(operator));
    }
    /// Runs `read`, which reads `range` of the source of `input`: the records that it pushes come from there.
    pub(crate) fn reading(&self, input: OperatorId, range: OffsetRange, read: impl FnOnce() -> Outcome) -> Outcome {
        let before = self.state.reading.replace(Some((input, range)));
        let outcome = read();
        self.state.reading.set(before);
        outcome
    }
    /// Where the records of the chunk came from that is on its way, if they came from a range.
    pub(crate) fn source(&self) -> Option<LetterSource> {
        let (input, OffsetRange { partition, from, until }) = self.state.reading.get()?;
        Some(LetterSource { input: input.to_string(), partition, from, until, offset: None })
    }
    /// Ends the task when its job is given up. Sources ask once per chunk.
    #[inline(always)]
    pub fn check(&self) -> Outcome {
        if self.state.cancelled.load(Ordering::Relaxed) { Err(Stop::Cancelled) } else { Ok(()) }
    }
}
