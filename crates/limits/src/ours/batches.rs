//! A running stream of pairs whose batches follow one another without a pause: the clock is moved by hand to each next
//! batch as soon as one has ended.

use super::context;
use headwater::RunningContext;
use headwater::env::{Env, Storage};
use headwater::prelude::*;
use headwater::rdd::StateStatus;
use headwater::testkit::TestEnv;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

pub(super) const INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Batches {
    running: RunningContext,
    env: TestEnv,
    context: RddContext,
    queue: RddQueue<(u64, u64)>,
    results: Receiver<u64>,
    /// Batches so far.
    done: u64,
    /// Of each batch's input, so that all threads have their share.
    partitions: usize,
}

impl Batches {
    /// Of the stream that `program` makes, the wrapping total of each batch is its result.
    pub(super) fn start(local: usize, program: impl FnOnce(DStream<(u64, u64)>) -> DStream<u64>) -> Batches {
        let env = TestEnv::new();
        let ssc = context::streaming(local, INTERVAL, env.env());
        Batches::over(ssc, env, local, program)
    }

    /// As [`Batches::start`], with state that goes to the local disk above so many bytes.
    pub(super) fn spilling(
        local: usize,
        state_bytes: u64,
        program: impl FnOnce(DStream<(u64, u64)>) -> DStream<u64>,
    ) -> Batches {
        let env = TestEnv::new();
        let real = Env { spill: headwater::system_env().spill, ..env.env() };
        Batches::over(context::spilling(local, INTERVAL, real, state_bytes), env, local, program)
    }

    /// As [`Batches::start`], with a checkpoint folder.
    pub(super) fn durable(
        local: usize,
        (folder, storage): (&str, Arc<dyn Storage>),
        program: impl FnOnce(DStream<(u64, u64)>) -> DStream<u64>,
    ) -> Batches {
        let env = TestEnv::new().with_storage(storage);
        let ssc = context::streaming(local, INTERVAL, env.env());
        ssc.checkpoint(folder);
        Batches::over(ssc, env, local, program)
    }

    fn over(
        ssc: StreamingContext,
        env: TestEnv,
        local: usize,
        program: impl FnOnce(DStream<(u64, u64)>) -> DStream<u64>,
    ) -> Batches {
        let queue = RddQueue::new();
        let (sent, results) = mpsc::channel();
        program(ssc.queue_stream(&queue)).foreach_rdd(move |rdd, _| {
            let total = rdd.reduce(u64::wrapping_add).expect("the job ends well").unwrap_or_default();
            // Who stops listening drops the stream with it.
            let _dropped = sent.send(total);
        });
        let context = ssc.context().clone();
        let running = ssc.start().expect("the program is valid");
        Batches { running, env, context, queue, results, done: 0, partitions: local }
    }

    pub(super) fn state_status(&self) -> StateStatus {
        self.context.state_status()
    }

    /// Records at hand, for [`Batches::run`].
    pub(super) fn records(&self, records: &[(u64, u64)]) -> Rdd<(u64, u64)> {
        self.context.parallelize(records.to_vec(), self.partitions)
    }

    /// Records that are made in the tasks and kept nowhere, from the numbers of `range`.
    pub(super) fn made(
        &self,
        range: std::ops::Range<u64>,
        pair: impl Fn(u64) -> (u64, u64) + Clone + Send + Sync + 'static,
    ) -> Rdd<(u64, u64)> {
        let numbers = self.context.range(range.start as i64..range.end as i64, 1, self.partitions);
        numbers.map(move |number| pair(number as u64))
    }

    /// Batches of which the first waits for nothing and each other for the one before; all are due at once.
    pub(super) fn run_all(&mut self, all: Vec<Rdd<(u64, u64)>>) -> Vec<u64> {
        let count = all.len();
        all.into_iter().for_each(|records| self.queue.push(records).expect("the queue has room for them"));
        self.done += count as u64;
        self.env.clock.advance(INTERVAL * count as u32);
        self.running.await_batches(self.done).expect("no batch fails");
        self.results.iter().take(count).collect()
    }

    /// One batch, from the tick of the clock to its end.
    pub(super) fn run(&mut self, records: Rdd<(u64, u64)>) -> u64 {
        self.queue.push(records).expect("the queue holds one batch at a time");
        self.done += 1;
        self.env.clock.advance(INTERVAL);
        self.running.await_batches(self.done).expect("no batch fails");
        self.results.recv().expect("a batch has a result")
    }
}
