//! [`StreamingContext`]: where a program is built. Starting it consumes it and gives a [`RunningContext`].

use crate::conf::{Conf, keys};
use crate::durable::{self, UpgradePlan};
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
use std::sync::{Arc, OnceLock};
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
    /// What `checkpoint` was told.
    checkpoint: OnceLock<String>,
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
        let (blocks, state, letters) = (conf.block_store_limits(), conf.state_limits(), conf.dead_letter_limits());
        let context = RddContext::with_limits(engine, env, seed, partitions, blocks, state, letters);
        let graph = Arc::new(DStreamGraph::new(context, batch_duration));
        let (listeners, logs, checkpoint) = (Listeners::default(), WriteAheadLogs::default(), OnceLock::new());
        StreamingContext { conf, graph, listeners, logs, checkpoint }
    }

    /// Makes the application durable: what it must know after a crash, a stop or a new version of the program is kept in
    /// the folder, and starting goes on with what is there. Batches that were not done run again with the records they had,
    /// keyed state is what it was behind the last batch that was committed, and the batches of the down-time follow
    /// [`Conf::down_time`]. One process at a time uses a folder; the program itself is not in it, so it may change: see
    /// [`StreamingContext::plan`].
    ///
    /// Outputs run at least once for each batch: a batch whose jobs had ended and whose commit was not durable runs again,
    /// with the same records and the same batch time. A batch that fails ends the program, and the next process begins
    /// with it. Source: Spark's `checkpoint(directory)`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use std::sync::mpsc;
    /// let env = testkit::TestEnv::in_memory();
    /// let run = |batches: u64| {
    ///     let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env())?;
    ///     ssc.checkpoint("run");
    ///     let numbers = ssc.rate_stream(10, 1, |n| (0u8, n));
    ///     let sums = numbers.update_state_by_key(|new, old: Option<&u64>| {
    ///         Some(old.unwrap_or(&0) + new.iter().sum::<u64>())
    ///     });
    ///     let (sent, received) = mpsc::channel();
    ///     sums.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    ///     let running = ssc.start()?;
    ///     env.clock.advance(seconds(batches));
    ///     running.await_batches(batches)?;
    ///     running.stop()?;
    ///     Ok::<_, headwater::Error>(received.try_iter().last().unwrap())
    /// };
    /// assert_eq!(run(2)?, [(0, 190)]);
    /// // A new process: the state goes on, and so do the numbers.
    /// assert_eq!(run(1)?, [(0, 435)]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn checkpoint(&self, folder: impl Into<String>) {
        let folder = plain_path(&folder.into()).to_owned();
        let (known, storage) = (self.checkpoint_folder(), &self.graph.context().env().storage);
        let is_other = |known: &str| storage.full_path(known) != storage.full_path(&folder);
        if folder.is_empty() || known.is_some_and(is_other) {
            let known = known.unwrap_or("none");
            return self.graph.refuse(Error::program(format!(
                "checkpoint({folder:?}): the checkpoint folder is {known}; it is a path, and set once"
            )));
        }
        self.checkpoint.get_or_init(|| folder);
    }
    pub(crate) fn checkpoint_folder(&self) -> Option<&str> {
        self.checkpoint.get().map(String::as_str).or_else(|| self.conf.checkpoint())
    }

    /// The context that `create` builds, with `folder` as its checkpoint folder, so that starting it goes on with what is
    /// there. In Spark `create` is not called where the folder has a checkpoint, since that has the program of then in it;
    /// here the program is always the one at hand, and only data is stored. Source: Spark's
    /// `StreamingContext.getOrCreate`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let env = testkit::TestEnv::in_memory();
    /// let ssc = StreamingContext::get_or_create("run", || {
    ///     let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env())?;
    ///     ssc.rate_stream(10, 1, |n| n).print();
    ///     Ok(ssc)
    /// })?;
    /// ssc.start()?.stop()?;
    /// assert!(!env.storage.list("run/journal")?.is_empty());
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn get_or_create(
        folder: impl Into<String>,
        create: impl FnOnce() -> Result<StreamingContext>,
    ) -> Result<StreamingContext> {
        let ssc = create()?;
        ssc.checkpoint(folder);
        Ok(ssc)
    }

    /// What becomes of what the checkpoint folder has when this program goes on with it: which states and inputs are kept,
    /// migrated, new, dropped or incompatible, and why. Nothing runs, nothing changes, and a process that runs there goes
    /// on. `Conf::plan_only` makes [`StreamingContext::start`] print it and stop.
    pub fn plan(self) -> Result<UpgradePlan> {
        let Some(folder) = self.checkpoint_folder() else {
            return Err(Error::program(
                "there is nothing to plan: no checkpoint folder is set; see checkpoint(folder)",
            ));
        };
        let zero = self.graph.context().env().clock.now().floor(self.graph.batch_duration())?;
        self.graph.start(zero, |_| ())?;
        durable::plan(self.graph.context().env(), folder, &self.graph)
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

/// Without what makes no difference.
fn plain_path(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}
