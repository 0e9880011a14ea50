//! [`RunningContext`]: a started application; owns its threads.

use crate::checkpoint::CheckpointFolder;
use crate::conf::keys;
use crate::context::StreamingContext;
use crate::durable;
use crate::ending_thread::EndingThread;
use crate::remaining::Remaining;
use crate::scheduler::{
    Commits, EventQueue, JobGenerator, JobScheduler, ListenerBus, NO_BATCHES, Phase, Progress, Status, StopMode,
    StreamingContextState, tried,
};
use crate::signals;
use crate::stop_handle::StopHandle;
use crate::stopping::Running;
use headwater_core::dead_letters::DeadLetter;
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::Thread;
use headwater_core::listener::{StreamId, StreamingEvent};
use headwater_core::time::Time;
use headwater_core::{Error, OperatorId, Result};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// A started application. Dropping it stops it. Source: Spark's `StreamingContext` after `start()`.
pub struct RunningContext {
    pub(crate) running: Arc<Running>,
    /// The first batch that it makes.
    pub(crate) first: Time,
    /// Waits for signals; none where they are left alone, and behind the stop.
    signals: Mutex<Option<Box<dyn Thread>>>,
    /// The checkpoint folder, if there is one.
    folder: Option<String>,
}

impl RunningContext {
    pub(crate) fn start(built: StreamingContext) -> Result<RunningContext> {
        let folder = built.checkpoint_folder().map(str::to_owned);
        let StreamingContext { conf, graph, listeners, .. } = built;
        let env = graph.context().env().clone();
        let console = env.console.clone();
        let status = Arc::new(Status::new(env.clock.clone(), move |message| console.warn(message)));
        let plan_only = conf.flag(&keys::PLAN_ONLY);
        if folder.is_some() && graph.context().engine().transport().is_some() {
            return Err(Error::program(
                "a checkpoint folder needs an engine of one process: what workers change in states is not kept yet",
            ));
        }
        let opened = match folder.as_deref().filter(|_| !plan_only) {
            Some(folder) => Some(durable::open(&env, folder, graph.batch_duration(), conf.open_options())?),
            None => None,
        };
        let now = env.clock.now().floor(graph.batch_duration())?;
        let zero = opened.as_ref().map_or(now, |opened| opened.resumption.zero);
        let misused = status.clone();
        graph.start(zero, move |error| misused.report_error(error))?;
        let (commits, next) = match opened {
            Some(opened) => Commits::begin(opened, &graph)?,
            None => (None, zero + graph.batch_duration()),
        };
        if !plan_only {
            let durable = commits.as_ref().map(|commits| &commits.durable);
            let of_this_process = || format!("{}-{:016x}", conf.name(), env.random.next_u64());
            let application = durable.map_or_else(of_this_process, |durable| durable.application().to_owned());
            let committed = |output| durable.and_then(|durable| durable.committed_by(output));
            let tries = |policy: &_, recover: &mut dyn FnMut() -> Result<()>| tried(&env, policy, || false, recover);
            let begun = durable.map(|durable| durable.newest_allocated());
            let goes_on = conf.flag(&keys::RESTART_BEHIND_SINKS);
            graph.recover_sinks(&application, (committed, begun, goes_on), tries)?;
        }
        let events = Arc::new(EventQueue::new(env.clone(), graph.batch_duration()));
        let (limit, listeners) = (conf.count(&keys::LISTENER_QUEUE_MAX), listeners.into_vec());
        let listeners = Arc::new(ListenerBus::new(env.clone(), limit, status.clone(), listeners));
        let scheduler = JobScheduler::start(
            (conf.count(&keys::CONCURRENT_JOBS), graph.sinks()),
            &env,
            status.clone(),
            events.clone(),
            listeners.clone(),
            commits.is_some(),
        )?;
        let scheduler = Arc::new(scheduler);
        let generator = JobGenerator {
            env: env.clone(),
            graph: graph.clone(),
            scheduler: scheduler.clone(),
            status: status.clone(),
            events: events.clone(),
            listeners: listeners.clone(),
            next,
            pending_batches_max: conf.count(&keys::PENDING_BATCHES_MAX) as u64,
            phase: Phase::Running,
            commits,
        };
        let handle = StopHandle {
            status,
            events,
            scheduler,
            context: graph.context().clone(),
            graph: Arc::downgrade(&graph),
            listeners,
            graceful_stop_timeout: conf.duration_or_none(&keys::GRACEFUL_STOP_TIMEOUT),
        };
        let (thread, signals) = (Mutex::new(None), OnceLock::new());
        let running = Arc::new(Running { env, graph, handle, generator: thread, signals });
        // From here on an error drops it, which stops what has started.
        let context = RunningContext { running, first: next, signals: Mutex::new(None), folder: folder.clone() };
        if plan_only {
            let folder =
                folder.ok_or_else(|| Error::program("there is nothing to plan without a checkpoint folder"))?;
            let plan = durable::plan(&context.running.env, &folder, &context.running.graph)?;
            context.running.env.console.print(&format!("{plan}\n"));
            context.stop()?;
            plan.check(&conf.open_options().dropped)?;
            return Ok(context);
        }
        context.launch(generator, conf.flag(&keys::STOP_GRACEFULLY_ON_SHUTDOWN))?;
        Ok(context)
    }
    /// Starts what runs by itself. Until the last of it, a signal ends the process.
    fn launch(&self, generator: JobGenerator, on_signals: bool) -> Result<()> {
        let (running, listeners) = (&self.running, &self.running.handle.listeners);
        listeners.start()?;
        listeners.post(|| StreamingEvent::StreamingStarted { time: running.env.clock.now() });
        for (position, input) in running.graph.inputs().enumerate() {
            input.start(StreamId::new(position), listeners.clone())?;
        }
        let generator = EndingThread::spawn(&running.env, "job-generator", move || generator.run())?;
        *running.generator.lock().unwrap_or_else(PoisonError::into_inner) = Some(generator);
        if on_signals {
            *self.signals.lock().unwrap_or_else(PoisonError::into_inner) = Some(signals::watch(running)?);
        }
        Ok(())
    }

    /// Blocks until the context stops, also by SIGTERM or Ctrl-C
    /// ([`Conf::stop_gracefully_on_shutdown`](crate::Conf::stop_gracefully_on_shutdown)), or until a job or the generation
    /// of jobs fails, and returns that error.
    pub fn await_termination(&self) -> Result<()> {
        self.wait(None, NO_BATCHES).map(drop)
    }
    /// As [`RunningContext::await_termination`], for at most `timeout`; whether the context has stopped. The time is the
    /// context's clock's: in the test kit, that which the test moves.
    pub fn await_termination_or_timeout(&self, timeout: Duration) -> Result<bool> {
        self.wait(Some(self.running.env.clock.now() + timeout), NO_BATCHES)
    }
    /// Blocks until `batches` batches are completed since the start, the context stops, or something fails.
    pub fn await_batches(&self, batches: u64) -> Result<()> {
        self.wait(None, batches).map(drop)
    }
    /// Carries out a stop that was asked for by a [`StopHandle`].
    fn wait(&self, deadline: Option<Time>, batches: u64) -> Result<bool> {
        if self.is_own_thread() {
            return Err(Error::program(
                "the program's own closure or listener cannot wait for its batches or its end: they wait for it",
            ));
        }
        let status = &self.running.handle.status;
        let waited = status.wait(deadline, batches);
        if status.stop_requested().is_none() {
            return waited;
        }
        // Also where something has failed: a second signal cuts off and is an error.
        let stopped = self.carry_out_stop();
        match (waited, stopped) {
            (Err(first), Err(later)) => {
                self.running.env.console.warn(&later.to_string());
                Err(first)
            }
            (waited, stopped) => waited.and_then(|in_time| stopped.map(|()| in_time)),
        }
    }

    /// Stops: no more batches, and those that wait are dropped; also a graceful stop that another thread waits for is
    /// cut short. Returns when all threads have ended; a task is cut off between two chunks of records. A failure that
    /// no call has returned yet is returned here. Stopping again does nothing. An error when called from a closure of
    /// the program, which the stop would wait for: use a [`StopHandle`] there.
    ///
    /// A stop that has to wait, since a closure does not return, says so every 10 s, in a warning that names it.
    pub fn stop(&self) -> Result<()> {
        self.stop_by(StopMode::Now, None)
    }
    /// Stops when all that was received is processed: receivers end, what is left goes into one more batch at its
    /// time, and all batches run to their end, however long that takes; with
    /// [`Conf::graceful_stop_timeout`](crate::Conf::graceful_stop_timeout) as
    /// [`stop_gracefully_within`](RunningContext::stop_gracefully_within) it. While it waits, a warning every 10 s names
    /// what for.
    pub fn stop_gracefully(&self) -> Result<()> {
        self.stop_by(StopMode::Graceful, self.running.handle.graceful_stop_timeout)
    }
    /// Stops as [`stop_gracefully`](RunningContext::stop_gracefully), in at most `timeout` of the context's clock,
    /// whatever the settings say. Then it cuts off what runs, as [`stop`](RunningContext::stop) does, and returns an error
    /// (of the kind [`Resources`](headwater_core::ErrorKind::Resources)) that says what was left. What does not end within
    /// one more second, since a closure of the program does not return, is left behind: the context has stopped, and that
    /// thread ends by itself, or with the process. Where several stops are asked for, the earliest deadline counts.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit, ErrorKind};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let (begun, begin) = std::sync::mpsc::channel();
    /// ssc.queue_stream(&RddQueue::<u64>::new()).foreach_rdd(move |_, _| -> () {
    ///     begun.send(()).unwrap();
    ///     loop {
    ///         std::thread::park();
    ///     }
    /// });
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// begin.recv().unwrap();
    /// let error = std::thread::scope(|scope| {
    ///     let stopping = scope.spawn(|| running.stop_gracefully_within(seconds(5)).unwrap_err());
    ///     while !stopping.is_finished() {
    ///         clock.advance(seconds(1));
    ///     }
    ///     stopping.join().unwrap()
    /// });
    /// assert_eq!(error.kind(), ErrorKind::Resources);
    /// assert!(error.to_string().starts_with("the graceful stop was not over within 5s"), "{error}");
    /// assert!(error.to_string().contains("of batch 1000 ms, which has run for "), "{error}");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn stop_gracefully_within(&self, timeout: Duration) -> Result<()> {
        self.stop_by(StopMode::Graceful, Some(timeout))
    }
    /// For stopping from elsewhere.
    pub fn stop_handle(&self) -> StopHandle {
        self.running.handle.clone()
    }
    /// Whether it runs.
    pub fn state(&self) -> StreamingContextState {
        self.running.handle.state()
    }
    /// How far the batches are.
    pub fn progress(&self) -> Progress {
        self.running.handle.progress()
    }
    /// What is left to do; see [`Remaining`].
    pub fn remaining(&self) -> Remaining {
        self.running.handle.remaining()
    }
    /// The records that were set aside: with a checkpoint folder those of batches that are committed, as
    /// [`CheckpointFolder::dead_letters`](crate::checkpoint::CheckpointFolder::dead_letters) reads them there; without one
    /// the newest, up to 10,000. See [`DStream::set_aside`](headwater_core::DStream::set_aside) for an example.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        match &self.folder {
            Some(folder) => CheckpointFolder::look(self.running.env.storage.clone(), folder)?.dead_letters(),
            None => Ok(self.running.graph.context().dead_letters_in_memory()),
        }
    }
    /// The stable id of each operator and where it was created, in the order of creation.
    pub fn operators(&self) -> Vec<(OperatorId, String)> {
        self.running.graph.operators()
    }

    /// Whether an error waits to be returned.
    pub(crate) fn has_error(&self) -> bool {
        self.running.handle.status.has_error()
    }
    /// How often a commit had to be tried again.
    pub(crate) fn commits_waited(&self) -> u64 {
        self.running.handle.status.commits_waited()
    }
    pub(crate) fn graph(&self) -> &DStreamGraph {
        &self.running.graph
    }

    fn stop_by(&self, mode: StopMode, timeout: Option<Duration>) -> Result<()> {
        if self.is_own_thread() {
            return Err(Error::program(
                "stop() was called from the program's own closure or listener, which it would wait for; take a \
                 stop_handle() and request the stop there",
            ));
        }
        self.running.handle.hasten(mode, timeout);
        self.carry_out_stop()
    }
    /// The stop that was asked for, by whomever; its error, or another that nobody has been given.
    fn carry_out_stop(&self) -> Result<()> {
        self.running.stop();
        // Behind the stop, which this thread may be carrying out too, and which has ended it.
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(signals) = signals {
            signals.join();
        }
        self.running.handle.status.take_error().map_or(Ok(()), Err)
    }

    /// Whether the calling thread runs the program's own code, which a stop waits for.
    fn is_own_thread(&self) -> bool {
        self.running.handle.status.owns_this_thread() || self.running.graph.context().engine().runs_this_thread()
    }
}

impl Drop for RunningContext {
    fn drop(&mut self) {
        let Running { graph, handle, .. } = &*self.running;
        match self.is_own_thread() {
            // Inside one of its own closures nothing can be waited for: the threads end by themselves.
            true => {
                handle.hasten(StopMode::Now, None);
                graph.inputs().for_each(|input| input.stop());
                handle.scheduler.close();
                handle.listeners.close();
                self.running.close_signals();
            }
            false => {
                if let Err(error) = self.stop_by(StopMode::Now, None) {
                    handle.status.report_error(error);
                }
            }
        }
        handle.status.warn_of_error();
    }
}
