//! Programs that need their context (`ssc.union`, accumulators, queues), or outputs of their own, on both engines.

use headwater::env::ManualClock;
use headwater::prelude::*;
use headwater::testkit::{IsolatedProgram, isolated, streaming_context};
use headwater::{Data, Record};
use std::sync::Arc;
use std::sync::mpsc::channel;

/// A program on one of the engines, with a batch every second; two threads or workers.
pub(crate) struct Built<R> {
    pub(crate) engine: &'static str,
    pub(crate) ssc: StreamingContext,
    pub(crate) clock: Arc<ManualClock>,
    /// What the program's code returned.
    pub(crate) result: R,
}

/// Builds the program on the local engine and on the isolated one.
pub(crate) fn on_both_engines<R: 'static>(build: impl Fn(&StreamingContext) -> R + IsolatedProgram) -> [Built<R>; 2] {
    let (ssc, clock) = streaming_context();
    let result = build(&ssc);
    let local = Built { engine: "local", ssc, clock, result };
    let (ssc, clock, result) = isolated(build);
    [local, Built { engine: "isolated", ssc, clock, result }]
}

impl<R> Built<R> {
    /// Runs `batches` batches, one after the other. The context still runs then.
    #[track_caller]
    pub(crate) fn run(self, batches: u64) -> (RunningContext, R) {
        let running = self.ssc.start().unwrap();
        for batch in 1..=batches {
            self.clock.advance(seconds(1));
            let ended = running.await_batches(batch);
            ended.unwrap_or_else(|error| panic!("on the {} engine: {error}", self.engine));
        }
        (running, self.result)
    }
}

/// What each batch of the program's stream holds, on each engine; `None` where there is no RDD.
#[track_caller]
pub(crate) fn batches_of<U: Data>(
    batches: u64,
    build: impl Fn(&StreamingContext) -> DStream<U> + IsolatedProgram,
) -> [Vec<Option<Vec<U>>>; 2] {
    on_both_engines(build).map(|built| {
        let (sent, received) = channel();
        built.result.foreach_rdd(move |rdd, time| sent.send((time, rdd.collect().unwrap())).unwrap());
        let (_running, _) = built.run(batches);
        let mut all: std::collections::HashMap<Time, Vec<U>> = received.try_iter().collect();
        (1..=batches as i64).map(|number| all.remove(&Time::from_millis(1000 * number))).collect()
    })
}

/// The RDDs that a stream remembers of the first `batches` batches.
#[track_caller]
pub(crate) fn remembered<T: Record>(stream: &DStream<T>, batches: u64) -> Vec<Rdd<T>> {
    let all = stream.slice(Time::from_millis(1000), Time::from_millis(1000 * batches as i64)).unwrap();
    assert_eq!(all.len(), batches as usize);
    all
}
