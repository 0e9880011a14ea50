//! [`RunningContext`]: a started application; owns its threads. They end in this order: receivers, generator, job
//! executors, task threads, the listeners' thread.

use crate::conf::keys;
use crate::context::StreamingContext;
use crate::durable;
use crate::scheduler::{
    Commits, Event, EventQueue, JobGenerator, JobScheduler, ListenerBus, NO_BATCHES, Phase, Progress, Status, StopMode,
    StreamingContextState,
};
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::{Env, Thread};
use headwater_core::listener::{StreamId, StreamingEvent};
use headwater_core::rdd::RddContext;
use headwater_core::time::Time;
use headwater_core::{Error, OperatorId, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A started application. Dropping it stops it. Source: Spark's `StreamingContext` after `start()`.
pub struct RunningContext {
    env: Env,
    graph: Arc<DStreamGraph>,
    status: Arc<Status>,
    events: Arc<EventQueue>,
    scheduler: Arc<JobScheduler>,
    pub(crate) listeners: Arc<ListenerBus>,
    /// Taken by the stop.
    generator: Mutex<Option<Box<dyn Thread>>>,
}

/// Looks at a running context and asks it to stop, from anywhere: an output operation, a listener, another thread.
///
/// ```
/// use headwater::{prelude::*, testkit, StreamingContextState};
/// let (ssc, clock) = testkit::streaming_context();
/// ssc.queue_stream(&RddQueue::<u64>::new()).print();
/// let running = ssc.start()?;
/// let handle = running.stop_handle();
/// std::thread::spawn(move || {
///     assert_eq!(handle.state(), StreamingContextState::Active);
///     assert_eq!(handle.progress().completed, 0);
///     handle.request_stop();
/// });
/// running.await_termination()?;
/// assert_eq!(running.state(), StreamingContextState::Stopped);
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone)]
pub struct StopHandle {
    status: Arc<Status>,
    events: Arc<EventQueue>,
    scheduler: Arc<JobScheduler>,
    context: RddContext,
}

impl StopHandle {
    /// Asks for a stop that cuts off what is running, also a graceful stop that is under way. Returns at once: no
    /// more batches are made, and whoever awaits the termination carries the stop out.
    pub fn request_stop(&self) {
        self.cut_off();
        self.status.request_stop(StopMode::Now);
    }
    /// Asks for a stop that processes first what was received. Returns at once.
    pub fn request_graceful_stop(&self) {
        self.status.request_stop(StopMode::Graceful);
    }
    /// Whether the context runs, as [`RunningContext::state`].
    pub fn state(&self) -> StreamingContextState {
        self.status.state()
    }
    /// How far the batches are, as [`RunningContext::progress`].
    pub fn progress(&self) -> Progress {
        self.status.progress()
    }
    /// Begins the end of everything without waiting for it.
    fn cut_off(&self) {
        if !self.status.is_stopped() {
            self.scheduler.cancel();
            self.context.engine().cancel();
            self.events.post(Event::Stop);
        }
    }
}

impl RunningContext {
    pub(crate) fn start(built: StreamingContext) -> Result<RunningContext> {
        let folder = built.checkpoint_folder().map(str::to_owned);
        let StreamingContext { conf, graph, listeners, .. } = built;
        let env = graph.context().env().clone();
        let console = env.console.clone();
        let status = Arc::new(Status::new(env.clock.clone(), move |message| console.warn(message)));
        let plan_only = conf.is(&keys::PLAN_ONLY);
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
        let events = Arc::new(EventQueue::new(env.clone(), graph.batch_duration()));
        let (limit, listeners) = (conf.count(&keys::LISTENER_QUEUE_MAX), listeners.into_vec());
        let listeners = Arc::new(ListenerBus::new(env.clone(), limit, status.clone(), listeners));
        let scheduler = JobScheduler::start(
            conf.count(&keys::CONCURRENT_JOBS),
            &*env.spawner,
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
        let generator_thread = Mutex::new(None);
        let running = RunningContext { env, graph, status, events, scheduler, listeners, generator: generator_thread };
        // From here on an error drops `running`, which stops what has started.
        if plan_only {
            let folder =
                folder.ok_or_else(|| Error::program("there is nothing to plan without a checkpoint folder"))?;
            let plan = durable::plan(&running.env, &folder, &running.graph)?;
            running.env.console.print(&format!("{plan}\n"));
            running.stop()?;
            return Ok(running);
        }
        running.listeners.start()?;
        running.listeners.post(|| StreamingEvent::StreamingStarted { time: running.env.clock.now() });
        for (position, input) in running.graph.inputs().enumerate() {
            input.start(StreamId::new(position), running.listeners.clone())?;
        }
        let generator = running.env.spawner.spawn("job-generator", Box::new(move || generator.run()))?;
        *running.generator.lock().unwrap_or_else(PoisonError::into_inner) = Some(generator);
        Ok(running)
    }

    /// Blocks until the context stops, or until a job or the generation of jobs fails, and returns that error.
    pub fn await_termination(&self) -> Result<()> {
        self.wait(None, NO_BATCHES).map(drop)
    }
    /// As [`RunningContext::await_termination`], for at most `timeout`; whether the context has stopped. The time is the
    /// context's clock's: in the test kit, that which the test moves.
    pub fn await_termination_or_timeout(&self, timeout: Duration) -> Result<bool> {
        self.wait(Some(self.env.clock.now() + timeout), NO_BATCHES)
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
        let in_time = self.status.wait(deadline, batches)?;
        if let Some(mode) = self.status.stop_requested().filter(|_| !self.status.is_stopped()) {
            self.stop_by(mode)?;
        }
        Ok(in_time)
    }

    /// Stops: no more batches, and those that wait are dropped; also a graceful stop that another thread waits for is
    /// cut short. Returns when all threads have ended; a task is cut off between two chunks of records. A failure that
    /// no call has returned yet is returned here. Stopping again does nothing. An error when called from a closure of
    /// the program, which the stop would wait for: use a [`StopHandle`] there.
    pub fn stop(&self) -> Result<()> {
        self.stop_by(StopMode::Now)
    }
    /// Stops when all that was received is processed: receivers end, what is left goes into one more batch at its
    /// time, and all batches run to their end.
    pub fn stop_gracefully(&self) -> Result<()> {
        self.stop_by(StopMode::Graceful)
    }
    /// For stopping from elsewhere.
    pub fn stop_handle(&self) -> StopHandle {
        let (status, events, scheduler) = (self.status.clone(), self.events.clone(), self.scheduler.clone());
        StopHandle { status, events, scheduler, context: self.graph.context().clone() }
    }
    /// Whether it runs.
    pub fn state(&self) -> StreamingContextState {
        self.status.state()
    }
    /// How far the batches are.
    pub fn progress(&self) -> Progress {
        self.status.progress()
    }
    /// The stable id of each operator and where it was created, in the order of creation.
    pub fn operators(&self) -> Vec<(OperatorId, String)> {
        self.graph.operators()
    }

    fn stop_by(&self, mode: StopMode) -> Result<()> {
        if self.is_own_thread() {
            return Err(Error::program(
                "stop() was called from the program's own closure or listener, which it would wait for; take a \
                 stop_handle() and request the stop there",
            ));
        }
        if mode == StopMode::Now {
            // Before the lock: a graceful stop that is under way ends soon then.
            self.stop_handle().cut_off();
        }
        let mut generator = self.generator.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.status.is_stopped() {
            self.graph.inputs().for_each(|input| input.stop());
            self.events.post(if mode == StopMode::Now { Event::Stop } else { Event::Drain });
            if let Some(generator) = generator.take() {
                generator.join();
            }
            self.scheduler.shut_down();
            self.graph.context().engine().stop();
            self.graph.stop();
            self.listeners.stop();
            self.status.set_stopped();
        }
        self.status.take_error().map_or(Ok(()), Err)
    }

    /// Whether the calling thread runs the program's own code, which a stop waits for.
    fn is_own_thread(&self) -> bool {
        self.status.owns_this_thread() || self.graph.context().engine().runs_this_thread()
    }
}

impl Drop for RunningContext {
    fn drop(&mut self) {
        match self.is_own_thread() {
            // Inside one of its own closures nothing can be waited for: the threads end by themselves.
            true => {
                self.stop_handle().cut_off();
                self.graph.inputs().for_each(|input| input.stop());
                self.scheduler.close();
                self.listeners.close();
            }
            false => {
                if let Err(error) = self.stop_by(StopMode::Now) {
                    self.status.report_error(error);
                }
            }
        }
        self.status.warn_of_error();
    }
}
