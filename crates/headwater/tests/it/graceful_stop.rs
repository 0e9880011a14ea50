//! What a graceful stop waits for, says, and leaves at its deadline.

use headwater::env::{Clock, Env, ManualClock};
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater::{Error, ErrorKind, StreamingContextState};
use std::io::Read;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, Scope, ScopedJoinHandle, current};

/// A batch that the test asks for, and no other: stops take seconds.
const INTERVAL: Duration = Duration::from_secs(3600);

/// A manual clock that tells when a thread called `stopping` begins to wait.
struct WatchedClock {
    clock: Arc<ManualClock>,
    waits: Sender<()>,
}
impl Clock for WatchedClock {
    fn now(&self) -> Time {
        self.clock.now()
    }
    fn wait(&self, deadline: Option<Time>, ready: &mut dyn FnMut() -> bool) -> bool {
        if current().name() == Some("stopping") {
            // Only the first is waited for.
            let _sent = self.waits.send(());
        }
        self.clock.wait(deadline, ready)
    }
    fn notify(&self) {
        self.clock.notify();
    }
}

struct Stopping {
    env: TestEnv,
    running: RunningContext,
    waits: Receiver<()>,
}

impl Stopping {
    fn of<R>(conf: Conf, build: impl FnOnce(&StreamingContext) -> R) -> Stopping {
        let (env, (sent, waits)) = (TestEnv::new(), channel());
        let clock = Arc::new(WatchedClock { clock: env.clock.clone(), waits: sent });
        let env_with_clock = Env { clock, ..env.env() };
        let ssc = StreamingContext::with_env(conf.master("local[1]"), INTERVAL, env_with_clock).unwrap();
        build(&ssc);
        Stopping { running: ssc.start().unwrap(), env, waits }
    }
    /// Calls `stop` on another thread, and returns when it waits.
    fn begin<'scope, 'env, R>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        stop: impl FnOnce(&RunningContext) -> R + Send + 'scope,
    ) -> ScopedJoinHandle<'scope, R>
    where
        R: Send + 'scope,
    {
        let running = &self.running;
        let stopping = Builder::new().name("stopping".to_owned()).spawn_scoped(scope, move || stop(running)).unwrap();
        self.waits.recv().unwrap();
        stopping
    }
    /// The error of a stop within 10 s that does not end in time.
    fn missed(&self) -> String {
        let error = std::thread::scope(|scope| {
            let stopping = self.begin(scope, |running| running.stop_gracefully_within(seconds(10)).unwrap_err());
            self.pass_time(|| stopping.is_finished());
            stopping.join().unwrap()
        });
        assert_eq!(error.kind(), ErrorKind::Resources);
        assert_eq!(self.running.state(), StreamingContextState::Stopped);
        self.running.stop().unwrap();
        let error = error.to_string();
        assert!(error.starts_with("the graceful stop was not over within 10s (Conf::graceful_stop_timeout"), "{error}");
        error
    }
    fn pass_time(&self, until: impl Fn() -> bool) {
        while !until() {
            self.env.clock.advance(seconds(1));
            std::thread::yield_now();
        }
    }
}

/// An output that tells when it begins, and waits for its gate, which is open once the sender is dropped.
fn stuck() -> (impl Fn(headwater::Rdd<i32>, Time) + Send + Sync + 'static, Receiver<Time>, Sender<()>) {
    let ((sent, begin), (go, gate)) = (channel(), channel());
    let gate = Mutex::new(gate);
    let output = move |_: headwater::Rdd<i32>, time: Time| {
        sent.send(time).unwrap();
        let _opened = gate.lock().unwrap().recv();
    };
    (output, begin, go)
}
fn contains(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in {text:?}"));
}

#[test]
fn a_stop_that_ends_before_its_deadline_has_processed_everything_and_says_nothing() {
    let (queue, (sent, received)) = (RddQueue::new(), channel());
    let stopping = Stopping::of(Conf::new(), |ssc| {
        (0..3).for_each(|n| queue.push(ssc.context().parallelize(vec![n], 1)).unwrap());
        ssc.queue_stream(&queue).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    });
    assert_eq!(stopping.running.remaining().unprocessed[0].1.to_string(), "3 datasets");
    std::thread::scope(|scope| {
        let stop = stopping.begin(scope, |running| running.stop_gracefully_within(4 * INTERVAL));
        stopping.env.clock.advance(milliseconds(9_999));
        assert_eq!(stopping.env.warnings(), [""; 0]);
        stopping.env.clock.advance(3 * INTERVAL);
        stop.join().unwrap().unwrap();
    });
    assert_eq!(received.try_iter().flatten().collect::<Vec<i32>>(), [0, 1, 2]);
    assert_eq!(stopping.running.remaining().to_string(), "nothing");
}

#[test]
fn at_the_deadline_the_stop_says_what_is_left_and_leaves_behind_an_output_that_does_not_return() {
    let ((output, begin, go), queue) = (stuck(), RddQueue::new());
    let stopping = Stopping::of(Conf::new(), |ssc| {
        (0..3).for_each(|n| queue.push(ssc.context().parallelize(vec![n], 1)).unwrap());
        ssc.queue_stream(&queue).foreach_rdd(output);
    });
    stopping.env.clock.advance(2 * INTERVAL);
    assert_eq!(begin.recv().unwrap(), Time::from_millis(3_600_000));
    while stopping.running.remaining().unprocessed[0].1.count > 1 {
        std::thread::yield_now();
    }
    let error = stopping.missed();
    contains(
        &error,
        &[
            "left: 2 batches: 3600000 ms, 7200000 ms; output operation 0 (foreach_rdd at crates/headwater/tests/it/gra",
            ") of batch 3600000 ms, which has run for ",
            "; 1 dataset of queue_stream at crates/headwater/tests/it/graceful_stop.rs:",
            "; what did not end by that was left behind, and ends by itself",
        ],
    );
    drop(go);
    while stopping.running.progress().pending > 0 {
        std::thread::yield_now();
    }
    assert_eq!((begin.try_iter().count(), stopping.running.progress().completed), (0, 1));
}

#[test]
fn at_the_deadline_a_task_is_cut_off() {
    let (begun, begin) = channel();
    let conf = Conf::new().set("spark.streaming.gracefulStopTimeout", 10_000);
    let stopping = Stopping::of(conf, |ssc| {
        let endless = ssc.queue_stream(&RddQueue::<u64>::new()).map_partitions(|_| 0u64..).map(move |n| {
            if n == 0 {
                begun.send(()).unwrap();
            }
        });
        endless.foreach_rdd(|rdd, _| rdd.count().map(drop));
    });
    stopping.env.clock.advance(INTERVAL);
    begin.recv().unwrap();
    let error = std::thread::scope(|scope| {
        let stop = stopping.begin(scope, |running| running.stop_gracefully().unwrap_err());
        stopping.env.clock.advance(seconds(10));
        stop.join().unwrap().to_string()
    });
    contains(&error, &["not over within 10s", "batch 3600000 ms, which has run for 10s"]);
    assert!(!error.contains("left behind"), "{error}");
    assert_eq!(stopping.running.progress().dropped, 1);
}

#[test]
fn a_receiver_that_does_not_end_is_named() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let ((go, gate), (begun, begin)) = (channel::<()>(), channel());
    let gate = Arc::new(Mutex::new(gate));
    let stopping = Stopping::of(Conf::new(), |ssc| {
        let numbers =
            ssc.socket_stream("127.0.0.1", listener.local_addr().unwrap().port(), move |_: Box<dyn Read + Send>| {
                let (gate, begun) = (gate.clone(), begun.clone());
                (0..).map_while(move |n| {
                    if n == 2 {
                        begun.send(()).unwrap();
                        let _opened = gate.lock().unwrap().recv();
                    }
                    (n < 2).then_some(Ok::<i32, Error>(n))
                })
            });
        numbers.print();
    });
    begin.recv().unwrap();
    let error = stopping.missed();
    contains(
        &error,
        &["left: the receiver of socket_stream at crates/", "; 2 records of socket_stream at crates/", "left behind"],
    );
    drop(go);
}

#[test]
fn a_closure_that_makes_a_batch_and_does_not_return_is_named() {
    let ((begun, begin), (go, gate)) = (channel(), channel::<()>());
    let gate = Mutex::new(gate);
    let stopping = Stopping::of(Conf::new(), |ssc| {
        let numbers = ssc.queue_stream(&RddQueue::<i32>::new()).transform(move |rdd, _| {
            begun.send(()).unwrap();
            let _opened = gate.lock().unwrap().recv();
            rdd
        });
        numbers.print();
    });
    stopping.env.clock.advance(INTERVAL);
    begin.recv().unwrap();
    let error = stopping.missed();
    contains(&error, &["left: batch 3600000 ms; the making of the jobs of batch 3600000 ms", "left behind"]);
    drop(go);
}

#[test]
fn a_listener_that_does_not_return_is_named() {
    let ((begun, begin), (go, gate)) = (channel(), channel::<()>());
    let stopping = Stopping::of(Conf::new(), |ssc| {
        ssc.queue_stream(&RddQueue::<i32>::new()).print();
        ssc.add_streaming_listener(move |_: &StreamingEvent| {
            begun.send(()).unwrap();
            let _opened = gate.recv();
        });
    });
    begin.recv().unwrap();
    contains(&stopping.missed(), &["left: 1 event for listeners", "left behind"]);
    drop(go);
}

#[test]
fn every_ten_seconds_a_warning_says_what_the_stop_waits_for() {
    let (output, begin, go) = stuck();
    let stopping = Stopping::of(Conf::new(), |ssc| ssc.queue_stream(&RddQueue::new()).foreach_rdd(output));
    stopping.env.clock.advance(INTERVAL);
    begin.recv().unwrap();
    std::thread::scope(|scope| {
        let stop = stopping.begin(scope, |running| running.stop_gracefully());
        for waited in [10, 20, 30] {
            stopping.env.clock.advance(seconds(10));
            let warning = stopping.env.await_warning(&format!("has waited {waited}s"));
            contains(
                &warning,
                &["a graceful stop has waited", "s so far, for: batch 3600000 ms; output operation 0 ("],
            );
            assert!(warning.ends_with(&format!("of batch 3600000 ms, which has run for {waited}s")), "{warning}");
        }
        // A stop that cuts off waits for the closure as well, and says so.
        let cut_off = scope.spawn(|| stopping.running.stop());
        stopping.running.stop_handle().request_stop();
        stopping.env.clock.advance(seconds(10));
        contains(&stopping.env.await_warning("has waited 40s"), &["a stop has waited"]);
        drop(go);
        stop.join().unwrap().unwrap();
        cut_off.join().unwrap().unwrap();
    });
    assert_eq!(stopping.env.warnings().len(), 4);
}

#[test]
fn of_several_stops_the_earliest_deadline_counts_for_all() {
    let (output, begin, go) = stuck();
    let stopping = Stopping::of(Conf::new(), |ssc| ssc.queue_stream(&RddQueue::new()).foreach_rdd(output));
    stopping.env.clock.advance(INTERVAL);
    begin.recv().unwrap();
    let stops = std::thread::scope(|scope| {
        let patient = stopping.begin(scope, |running| running.stop_gracefully());
        let hurried = scope.spawn(|| stopping.running.stop_gracefully_within(seconds(5)));
        stopping.pass_time(|| patient.is_finished() && hurried.is_finished());
        [patient.join().unwrap(), hurried.join().unwrap()]
    });
    let errors: Vec<String> = stops.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    assert_eq!(errors.len(), 1, "each error is returned once");
    contains(&errors[0], &["not over within 5s"]);
    drop(go);
}

/// The time runs from the request, wherever it is carried out.
#[test]
fn a_request_by_a_handle_keeps_to_the_timeout_of_the_settings() {
    let ((output, begin, go), timeout) = (stuck(), seconds(10));
    let conf = Conf::new().graceful_stop_timeout(timeout);
    let stopping = Stopping::of(conf, |ssc| ssc.queue_stream(&RddQueue::new()).foreach_rdd(output));
    stopping.env.clock.advance(INTERVAL);
    begin.recv().unwrap();
    stopping.running.stop_handle().request_graceful_stop();
    let error = std::thread::scope(|scope| {
        let awaiting = scope.spawn(|| stopping.running.await_termination().unwrap_err());
        stopping.pass_time(|| awaiting.is_finished());
        awaiting.join().unwrap()
    });
    contains(&error.to_string(), &["not over within 10s"]);
    drop(go);
}
