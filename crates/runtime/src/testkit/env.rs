//! The environment of a test: a clock that the test moves, a fixed seed, and a console that is read back.

use super::signals::TestSignals;
use super::spill::MemorySpill;
use crate::conf::Conf;
use crate::context::StreamingContext;
use crate::engine::LocalEngine;
use crate::env::{SystemSpawner, system_env};
use headwater_core::env::{Clock, Console, Env, ManualClock, Random, Storage};
use headwater_core::hash::HashSeed;
use headwater_core::rdd::RddContext;
use headwater_core::time::Time;
use headwater_storage::{LocalStorage, MemoryStorage};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The seed of every test's partition hash.
const SEED: u64 = 42;
/// The batch interval of [`streaming_context`].
const BATCH: Duration = Duration::from_secs(1);

/// A manual clock at 0 ms, a fixed seed, a console that keeps what it is given, spilled state in memory, signals that the
/// test raises; files, network and threads are real.
#[derive(Clone)]
pub struct TestEnv {
    /// Moves when the test says so.
    pub clock: Arc<ManualClock>,
    /// Where state goes that has no room; fails when the test says so.
    pub spill: Arc<MemorySpill>,
    /// Durable files: the disk's, unless it was made by [`TestEnv::in_memory`] or [`TestEnv::with_storage`].
    pub storage: Arc<dyn Storage>,
    /// Come when the test says so.
    pub signals: Arc<TestSignals>,
    console: Arc<KeepingConsole>,
}

impl Default for TestEnv {
    fn default() -> Self {
        TestEnv::new()
    }
}

impl TestEnv {
    /// A new one, with the clock at 0 ms.
    pub fn new() -> TestEnv {
        let clock = Arc::new(ManualClock::new(Time::from_millis(0)));
        let console = Arc::new(KeepingConsole { clock: clock.clone(), kept: Mutex::default() });
        TestEnv {
            clock,
            console,
            spill: Arc::default(),
            storage: Arc::new(LocalStorage::new()),
            signals: Arc::default(),
        }
    }
    /// A new one, whose durable files are in memory, for as long as it lives.
    pub fn in_memory() -> TestEnv {
        TestEnv::new().with_storage(Arc::new(MemoryStorage::new()))
    }
    /// With durable files in `storage`: a [`FaultyStorage`](headwater_storage::FaultyStorage), say.
    pub fn with_storage(self, storage: Arc<dyn Storage>) -> TestEnv {
        TestEnv { storage, ..self }
    }
    /// What time it is.
    pub fn clock_now(&self) -> Time {
        self.clock.now()
    }
    /// For [`StreamingContext::with_env`].
    pub fn env(&self) -> Env {
        let (clock, console, spill) = (self.clock.clone(), self.console.clone(), self.spill.clone());
        let (storage, signals) = (self.storage.clone(), self.signals.clone());
        Env { clock, console, spill, storage, random: Arc::new(FixedRandom), signals, ..system_env() }
    }
    /// All that was printed so far.
    pub fn printed(&self) -> String {
        self.console.lock().0.clone()
    }
    /// All warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        self.console.lock().1.clone()
    }
    /// Waits until there is a warning that contains `part`, and returns it.
    pub fn await_warning(&self, part: &str) -> String {
        let mut found = None;
        self.clock.wait(None, &mut || {
            found = self.console.lock().1.iter().find(|warning| warning.contains(part)).cloned();
            found.is_some()
        });
        found.expect("waited for it without a deadline")
    }
}

struct KeepingConsole {
    clock: Arc<ManualClock>,
    kept: Mutex<(String, Vec<String>)>,
}
impl KeepingConsole {
    fn lock(&self) -> std::sync::MutexGuard<'_, (String, Vec<String>)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
impl Console for KeepingConsole {
    fn print(&self, text: &str) {
        self.lock().0.push_str(text);
        self.clock.notify();
    }
    fn warn(&self, message: &str) {
        self.lock().1.push(message.to_owned());
        self.clock.notify();
    }
}

struct FixedRandom;
impl Random for FixedRandom {
    fn next_u64(&self) -> u64 {
        SEED
    }
}

/// A context for datasets without a stream, on two task threads.
///
/// ```
/// let context = headwater::testkit::context();
/// assert_eq!(context.parallelize(vec![1, 2, 3], 2).count()?, 3);
/// # Ok::<(), headwater::Error>(())
/// ```
pub fn context() -> RddContext {
    let engine = LocalEngine::new(2, &SystemSpawner).expect("two threads can be started");
    RddContext::new(Arc::new(engine), TestEnv::new().env(), HashSeed::new(SEED))
}

/// A streaming context with two task threads and a batch every second, and the clock that makes them.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// let (ssc, clock) = testkit::streaming_context();
/// ssc.queue_stream(&RddQueue::<u64>::new()).print();
/// let running = ssc.start()?;
/// clock.advance(Duration::from_secs(3));
/// running.await_batches(3)?;
/// assert_eq!(running.progress().last_completed, Some(Time::from_millis(3000)));
/// # Ok::<(), headwater::Error>(())
/// ```
pub fn streaming_context() -> (StreamingContext, Arc<ManualClock>) {
    let env = TestEnv::new();
    let context = StreamingContext::with_env(Conf::new().master("local[2]"), BATCH, env.env());
    (context.expect("the test kit's settings are valid"), env.clock)
}
