//! [`StreamingContext`]: where a program is built. Starting it consumes it and gives a [`RunningContext`].

use crate::conf::{Conf, keys};
use crate::engine::LocalEngine;
use crate::env::system_env;
use crate::running::RunningContext;
use crate::scheduler::{Listeners, StreamingContextState};
use crate::write_ahead_logs::WriteAheadLogs;
use headwater_core::dstream::{DStream, DStreamGraph};
use headwater_core::engine::Engine;
use headwater_core::env::Env;
use headwater_core::hash::HashSeed;
use headwater_core::rdd::{Rdd, RddContext};
use headwater_core::time::{DurationExt, Time};
use headwater_core::{Closure, Error, Record, Result};
use std::sync::Arc;
use std::time::Duration;

/// Builds a streaming application: its inputs are methods here, its operators and outputs methods of [`DStream`].
/// Source: Spark's `StreamingContext` before `start()`. Any number of contexts may live in a process, each with
/// threads of its own, beside or after one another. There is no active one to look up, as by Spark's `getActive`: take
/// [`RunningContext::stop_handle`] to where the running context must be seen or stopped.
pub struct StreamingContext {
    pub(crate) conf: Conf,
    pub(crate) graph: Arc<DStreamGraph>,
    pub(crate) listeners: Listeners,
    pub(crate) logs: WriteAheadLogs,
}

impl StreamingContext {
    /// A context with a batch every `batch_duration`: whole milliseconds, at least one. The settings are checked here.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let ssc = StreamingContext::new(Conf::new().master("local[2]"), Duration::from_secs(1))?;
    /// let error = StreamingContext::new(Conf::new().master("local[0]"), Duration::from_secs(1)).err().unwrap();
    /// assert!(error.to_string().contains("local[0]"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn new(conf: Conf, batch_duration: Duration) -> Result<StreamingContext> {
        StreamingContext::with_env(conf, batch_duration, system_env())
    }

    /// As [`StreamingContext::new`], in an environment of one's own: for tests and simulations.
    pub fn with_env(conf: Conf, batch_duration: Duration, env: Env) -> Result<StreamingContext> {
        let threads = conf.validate()?;
        let whole = Duration::from_millis(batch_duration.milliseconds() as u64);
        if batch_duration.is_zero() || batch_duration != whole {
            return Err(Error::program(format!(
                "batch duration {batch_duration:?}: it must be a whole number of milliseconds, at least 1"
            )));
        }
        let engine = LocalEngine::new(threads, &*env.spawner)?;
        let engine = Arc::new(engine.with_task_failures_max(conf.count(&keys::TASK_FAILURES_MAX)));
        let seed = HashSeed::new(conf.number(&keys::HASH_SEED).unwrap_or_else(|| env.random.next_u64()));
        Ok(StreamingContext::over(engine, conf, batch_duration, env, seed))
    }

    /// A context over `engine`; everything is checked.
    pub(crate) fn over(
        engine: Arc<dyn Engine>,
        conf: Conf,
        batch_duration: Duration,
        env: Env,
        seed: HashSeed,
    ) -> StreamingContext {
        let threads = engine.default_parallelism();
        let partitions = conf.number(&keys::DEFAULT_PARALLELISM).map_or(threads, |partitions| partitions as usize);
        let (blocks, state) = (conf.block_store_limits(), conf.state_limits());
        let context = RddContext::with_limits(engine, env, seed, partitions, blocks, state);
        let graph = Arc::new(DStreamGraph::new(context, batch_duration));
        StreamingContext { conf, graph, listeners: Listeners::default(), logs: WriteAheadLogs::default() }
    }

    /// What datasets are made with: `parallelize`, `text_file`, ....
    pub fn context(&self) -> &RddContext {
        self.graph.context()
    }

    /// The settings it was made with.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let ssc = StreamingContext::new(Conf::new().master("local[2]"), seconds(1))?;
    /// assert!(ssc.conf().to_debug_string().starts_with("headwater.master = local[2] (code at "));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn conf(&self) -> &Conf {
        &self.conf
    }

    /// Keeps every RDD of every stream at least this long, for a program that asks for old ones; only once.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, _clock) = testkit::streaming_context();
    /// ssc.remember(minutes(1));
    /// ssc.remember(minutes(2));
    /// assert!(ssc.start().err().unwrap().to_string().starts_with("remember duration already set as 60s"));
    /// ```
    pub fn remember(&self, duration: Duration) {
        self.graph.remember(duration);
    }

    /// The union of `streams`, in their order. An empty list fails the start.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, _clock) = testkit::streaming_context();
    /// ssc.union::<u64>(&[]).print();
    /// assert!(ssc.start().err().unwrap().to_string().contains("list of DStreams to union is empty"));
    /// ```
    #[track_caller]
    pub fn union<T: Record>(&self, streams: &[DStream<T>]) -> DStream<T> {
        self.graph.union(streams)
    }

    /// Applies `f` to the RDDs of all `streams` of the same batch, in their order, as
    /// [`DStream::transform`] does for one. A stream without an RDD at that time is empty; where none has one, `f` is
    /// not called. An empty list fails the start. Source: Spark's `StreamingContext.transform`; streams of different
    /// records are brought together by [`DStream::transform_with`].
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let streams = [1, 2, 3].map(|n| testkit::test_input(&ssc, vec![Some(vec![n])], 1));
    /// let largest = ssc.transform(&streams, |rdds, _time| {
    ///     let all = rdds[0].context().union(rdds.clone());
    ///     all.map(|n| ("max".to_string(), n)).reduce_by_key(i32::max)
    /// });
    /// let (sent, received) = std::sync::mpsc::channel();
    /// largest.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(received.recv().unwrap(), [("max".to_string(), 3)]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn transform<T: Record, U: Record>(
        &self,
        streams: &[DStream<T>],
        f: impl Fn(Vec<Rdd<T>>, Time) -> Rdd<U> + Closure,
    ) -> DStream<U> {
        self.graph.transform(streams, f)
    }

    /// Always [`Initialized`](StreamingContextState::Initialized): starting consumes the context, and
    /// [`RunningContext::state`] goes on from there. Source: Spark's `getState`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit, StreamingContextState};
    /// let (ssc, _clock) = testkit::streaming_context();
    /// ssc.queue_stream(&RddQueue::<u64>::new()).print();
    /// assert_eq!(ssc.state(), StreamingContextState::Initialized);
    /// let running = ssc.start()?;
    /// assert_eq!(running.state(), StreamingContextState::Active);
    /// running.stop()?;
    /// assert_eq!(running.state(), StreamingContextState::Stopped);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn state(&self) -> StreamingContextState {
        StreamingContextState::Initialized
    }

    /// Checks the program, starts what receives, and generates a batch at every multiple of the batch duration, the
    /// first at the next one. From here on the program cannot be changed.
    pub fn start(self) -> Result<RunningContext> {
        RunningContext::start(self)
    }
}
