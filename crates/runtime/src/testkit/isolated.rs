//! [`isolated`]: any program on the isolated engine, whose workers share no memory with the driver.

use super::TestEnv;
use crate::conf::Conf;
use crate::context::StreamingContext;
use crate::engine::isolated::{BuildWorker, IsolatedEngine};
use headwater_core::Result;
use headwater_core::env::ManualClock;
use headwater_core::hash::HashSeed;
use std::sync::Arc;
use std::time::Duration;

/// What builds a program in every process of an application, and so carries nothing but plain values.
#[diagnostic::on_unimplemented(
    message = "this program captures something that every process would have for itself",
    label = "a captured value is not `Copy + Send + Sync + 'static`",
    note = "the program is built again for each worker, which shares no memory with the driver: make what it needs \
            inside it; values go to tasks by `broadcast`, and come back by accumulators and results"
)]
pub trait IsolatedProgram: Copy + Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<P: Copy + Send + Sync + 'static> IsolatedProgram for P {}

/// A program on the isolated engine: the context to start, or to add outputs to, and the clock that makes its batches.
/// What is added behind `build` runs on the driver, for the workers do not have it.
///
/// `build` runs here for the driver and again for each of two workers when the context starts. Tasks go to the workers by
/// address (operator, batch time, stage, partition); shuffle data, results, broadcast values and accumulator updates go
/// as bytes. A program that gives the same results here as on `local[2]` is fit for a cluster. The usual slip is a
/// closure that writes to shared memory, an `Arc<Mutex<_>>` say: here the driver sees nothing of it. `build` must be
/// `Copy`, so that none can come in from outside; a `static` would still be shared, for the workers are threads.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// let (ssc, clock, (seen, counted)) = testkit::isolated(|ssc| {
///     let (seen, counted) = (Arc::new(AtomicU64::new(0)), ssc.context().long_accumulator("records"));
///     let (see, count) = (seen.clone(), counted.clone());
///     let numbers = testkit::test_input(ssc, vec![Some(vec![1, 2, 3])], 2);
///     numbers.map(move |n: u64| { see.fetch_add(1, Ordering::Relaxed); count.add(1); n }).print();
///     (seen, counted)
/// });
/// let running = ssc.start()?;
/// clock.advance(Duration::from_secs(1));
/// running.await_batches(1)?;
/// assert_eq!(seen.load(Ordering::Relaxed), 0); // The workers counted in memory of their own.
/// assert_eq!(counted.value(), 3);
/// # Ok::<(), headwater::Error>(())
/// ```
pub fn isolated<R: 'static>(
    build: impl Fn(&StreamingContext) -> R + IsolatedProgram,
) -> (StreamingContext, Arc<ManualClock>, R) {
    let env = TestEnv::new();
    let (ssc, built) = isolated_context(&env, 2, build);
    (ssc, env.clock, built)
}

/// The driver's context, and what `build` returned there.
pub(super) fn isolated_context<R: 'static>(
    env: &TestEnv,
    workers: usize,
    build: impl Fn(&StreamingContext) -> R + Send + Sync + Clone + 'static,
) -> (StreamingContext, R) {
    let (real, batch) = (env.env(), Duration::from_secs(1));
    let seed = HashSeed::new(real.random.next_u64());
    let (worker_env, worker_build) = (real.clone(), build.clone());
    let build_worker: BuildWorker = Arc::new(move |engine| -> Result<_> {
        let ssc = StreamingContext::over(engine, Conf::new(), batch, worker_env.clone(), seed);
        let built = worker_build(&ssc);
        Ok((ssc.graph.clone(), Box::new(built)))
    });
    let engine = IsolatedEngine::new(workers, real.spawner.clone(), build_worker);
    let engine = Arc::new(engine.expect("an engine of one thread can be made"));
    let ssc = StreamingContext::over(engine, Conf::new(), batch, real, seed);
    let built = build(&ssc);
    ssc.context().program_is_built();
    (ssc, built)
}
