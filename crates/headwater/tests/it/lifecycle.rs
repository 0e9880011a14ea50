//! From building to stopping: what is checked, in which order things happen, and what a stop waits for.

use headwater::env::{Clock, Env, ManualClock, Spawner, Thread};
use headwater::prelude::*;
use headwater::testkit::{TestEnv, streaming_context, test_input};
use headwater::{Error, ErrorKind, RddQueue, StreamingContextState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

/// The message with which a program's start fails.
fn refused<R>(build: impl FnOnce(&StreamingContext) -> R) -> String {
    let (ssc, _clock) = streaming_context();
    build(&ssc);
    let error = ssc.start().err().expect("the start must fail");
    assert_eq!(error.kind(), ErrorKind::Program);
    error.to_string()
}
fn numbers(ssc: &StreamingContext) -> headwater::DStream<i32> {
    test_input(ssc, vec![Some(vec![1, 2])], 1)
}

#[test]
fn batch_durations_and_masters_that_cannot_be() {
    let error =
        |master: &str, interval| StreamingContext::new(Conf::new().master(master), interval).err().unwrap().to_string();
    assert!(error("local[2]", Duration::ZERO).contains("batch duration 0ns"));
    assert!(error("local[2]", Duration::from_micros(1500)).contains("1.5ms"));
    assert!(error("local[0]", seconds(1)).contains("\"local[0]\" has no thread"));
    assert!(StreamingContext::new(Conf::new().master("local[1]"), milliseconds(1)).is_ok());
}

#[test]
fn programs_that_cannot_be_started() {
    let cases = [
        (refused(|ssc| drop(numbers(ssc).map(|x| x))), "no output operations registered"),
        (refused(|ssc| numbers(ssc).repartition(0).print()), "repartition(0)"),
        (refused(|ssc| numbers(ssc).count_by_value().with_partitions(0).print()), "with_partitions(0)"),
        (refused(|ssc| numbers(ssc).with_partitions(3).print()), "does not choose its partitions"),
        (refused(|ssc| numbers(ssc).map(|x| x).with_partitions(3).print()), "use repartition(3)"),
        (refused(|ssc| numbers(ssc).uid("").print()), "is no name"),
        (refused(|ssc| ssc.socket_text_stream("", 9999).print()), "socket_text_stream(\"\", 9999)"),
        (refused(|ssc| ssc.socket_text_stream("localhost", 0).print()), "a port from 1 to 65535"),
        (refused(|ssc| [1, 2].iter().for_each(|s| ssc.remember(seconds(*s)))), "remember duration already set as 1s"),
        (
            refused(|ssc| {
                let (other, _clock) = streaming_context();
                numbers(ssc).union(&numbers(&other)).print();
            }),
            "belongs to another context",
        ),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    let place = refused(|ssc| numbers(ssc).repartition(0).print());
    assert!(place.contains("repartition at crates/headwater/tests/it/lifecycle.rs:"), "{place}");
}

#[test]
fn what_is_added_after_the_start_is_refused_through_await_termination() {
    let (ssc, clock) = streaming_context();
    let stream = numbers(&ssc);
    stream.print();
    let running = ssc.start().unwrap();
    stream.map(|x| x + 1);
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("map at") && error.contains("after starting a context is not supported"), "{error}");
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
}

#[test]
fn what_is_added_after_the_stop_is_refused_through_the_next_stop() {
    let (ssc, _clock) = streaming_context();
    let stream = numbers(&ssc);
    stream.print();
    let running = ssc.start().unwrap();
    running.stop().unwrap();
    stream.print();
    let error = running.stop().unwrap_err().to_string();
    assert!(error.contains("print at") && error.contains("after stopping a context is not supported"), "{error}");
    running.stop().unwrap();
}

/// Threads by name, of which one cannot be started, and how many run.
struct WatchedSpawner {
    real: Arc<dyn Spawner>,
    refused: &'static str,
    started: Mutex<Vec<String>>,
    running: Arc<()>,
}
impl Spawner for WatchedSpawner {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> headwater::Result<Box<dyn Thread>> {
        if name == self.refused {
            return Err(Error::new(ErrorKind::Resources, format!("cannot start thread {name}")));
        }
        self.started.lock().unwrap().push(name.to_owned());
        let running = self.running.clone();
        self.real.spawn(
            name,
            Box::new(move || {
                body();
                drop(running);
            }),
        )
    }
}
/// Starts a program with one listener or none, and all threads but the refused one.
fn start_watched(refused: &'static str, listens: bool) -> (Arc<WatchedSpawner>, headwater::Result<RunningContext>) {
    let env = TestEnv::new().env();
    let (real, started, running) = (env.spawner.clone(), Mutex::default(), Arc::default());
    let spawner = Arc::new(WatchedSpawner { real, refused, started, running });
    let env = Env { spawner: spawner.clone(), ..env };
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env).unwrap();
    numbers(&ssc).print();
    if listens {
        ssc.add_streaming_listener(|_: &StreamingEvent| ());
    }
    (spawner, ssc.start())
}

#[test]
fn a_thread_that_cannot_be_started_fails_the_start_and_all_others_end() {
    for refused in ["streaming-job-executor-0", "streaming-listener-bus", "job-generator", "signals"] {
        let (spawner, started) = start_watched(refused, true);
        assert_eq!(started.err().unwrap().to_string(), format!("cannot start thread {refused}"));
        while Arc::strong_count(&spawner.running) > 1 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_listeners_have_a_thread_when_there_is_one_of_them() {
    let bus = |spawner: &WatchedSpawner| spawner.started.lock().unwrap().contains(&"streaming-listener-bus".to_owned());
    let (spawner, running) = start_watched("none", false);
    let running = running.unwrap();
    assert!(!bus(&spawner));
    running.add_streaming_listener(|_: &StreamingEvent| ()).unwrap();
    assert!(bus(&spawner));
    let (spawner, running) = start_watched("none", true);
    assert!(bus(&spawner));
    running.unwrap().stop().unwrap();
    let (_spawner, running) = start_watched("streaming-listener-bus", false);
    let error = running.unwrap().add_streaming_listener(|_: &StreamingEvent| ()).err().unwrap();
    assert_eq!(error.to_string(), "cannot start thread streaming-listener-bus");
}

#[test]
fn the_first_batch_is_at_the_next_multiple_and_missed_ticks_come_late_in_order() {
    let env = TestEnv::new();
    env.clock.set(Time::from_millis(10_250));
    let conf = Conf::new().master("local[1]");
    let ssc = StreamingContext::with_env(conf, milliseconds(500), env.env()).unwrap();
    let (sent, received) = channel();
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, time| sent.send(time.milliseconds()).unwrap());
    let running = ssc.start().unwrap();
    env.clock.set(Time::from_millis(12_499));
    running.await_batches(4).unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [10_500, 11_000, 11_500, 12_000]);
    // A clock that is set back generates no batch twice.
    env.clock.set(Time::from_millis(3_000));
    env.clock.set(Time::from_millis(12_500));
    running.await_batches(5).unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [12_500]);
}

#[test]
fn a_day_of_batches() {
    let (ssc, clock) = streaming_context();
    let (sent, received) = channel();
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, time| sent.send(time.milliseconds()).unwrap());
    let running = ssc.start().unwrap();
    clock.advance(seconds(86_400));
    running.await_batches(86_400).unwrap();
    assert!(received.try_iter().eq((1..=86_400).map(|n| n * 1000)));
}

#[test]
fn at_the_limit_of_pending_batches_generation_waits_and_says_so() {
    let env = TestEnv::new();
    let conf = Conf::new().master("local[1]").pending_batches_max(3);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let (go, gate) = channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let queue = RddQueue::<i32>::new();
    ssc.queue_stream(&queue).foreach_rdd(move |_, _| {
        // An error means that the test has opened the gate for good.
        let _opened = gate.lock().unwrap().recv();
    });
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(10));
    let warning = env.await_warning("pending_batches_max");
    assert!(warning.contains("3 batches wait or run"), "{warning}");
    assert_eq!(running.progress().pending, 3);
    drop(go);
    running.await_batches(10).unwrap();
    assert_eq!(running.progress().last_completed, Some(Time::from_millis(10_000)));
}

#[test]
fn awaiting_ends_by_time_or_by_a_stop() {
    let (ssc, clock) = streaming_context();
    numbers(&ssc).print();
    let running = ssc.start().unwrap();
    assert!(!running.await_termination_or_timeout(Duration::ZERO).unwrap());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| running.await_termination());
        running.stop().unwrap();
        waiter.join().unwrap().unwrap();
    });
    assert!(running.await_termination_or_timeout(seconds(5)).unwrap());
    assert_eq!(running.state(), StreamingContextState::Stopped);
    running.stop().unwrap();
    clock.advance(seconds(5));
    assert_eq!(running.progress().completed, 0);
}

#[test]
fn an_output_stops_the_context_by_a_handle() {
    let (ssc, clock) = streaming_context();
    let (handles, handle) = channel::<headwater::StopHandle>();
    let handle = std::sync::Mutex::new(handle);
    numbers(&ssc).foreach_rdd(move |_, _| handle.lock().unwrap().recv().unwrap().request_graceful_stop());
    let running = ssc.start().unwrap();
    let handle = running.stop_handle();
    assert_eq!((handle.state(), handle.progress()), (StreamingContextState::Active, running.progress()));
    handles.send(handle.clone()).unwrap();
    clock.advance(seconds(1));
    running.await_termination().unwrap();
    assert_eq!((running.state(), handle.state()), (StreamingContextState::Stopped, StreamingContextState::Stopped));
    assert_eq!((running.progress().completed, handle.progress().completed), (1, 1));
}

#[test]
fn a_stop_from_an_output_is_refused_where_it_would_wait_for_itself() {
    let (ssc, clock) = streaming_context();
    let (contexts, context) = channel::<Arc<headwater::RunningContext>>();
    let context = std::sync::Mutex::new(context);
    numbers(&ssc).foreach_rdd(move |_, _| context.lock().unwrap().recv().unwrap().stop());
    let running = Arc::new(ssc.start().unwrap());
    contexts.send(running.clone()).unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("stop_handle()"), "{error}");
}

#[test]
fn a_graceful_stop_processes_what_is_queued() {
    let (ssc, clock) = streaming_context();
    let queue = RddQueue::new();
    for n in 0..3 {
        queue.push(ssc.context().parallelize(vec![n], 1)).unwrap();
    }
    let (sent, received) = channel();
    ssc.queue_stream(&queue).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| running.stop_gracefully());
        clock.advance(seconds(10));
        stopping.join().unwrap().unwrap();
    });
    assert_eq!(received.try_iter().flatten().collect::<Vec<i32>>(), [0, 1, 2]);
}

/// A clock that holds the end of a job back, between its event and its count, until the generator has looked twice.
struct LookingClock {
    clock: ManualClock,
    looks: AtomicUsize,
    held: AtomicBool,
    draining: Sender<()>,
}
impl Clock for LookingClock {
    fn now(&self) -> Time {
        self.clock.now()
    }
    fn wait(&self, deadline: Option<Time>, ready: &mut dyn FnMut() -> bool) -> bool {
        if std::thread::current().name() == Some("job-generator") && deadline.is_none() {
            // Only the first is waited for.
            let _sent = self.draining.send(());
        }
        self.clock.wait(deadline, &mut || {
            let generator = std::thread::current().name() == Some("job-generator");
            self.looks.fetch_add(usize::from(generator), Ordering::SeqCst);
            ready()
        })
    }
    fn notify(&self) {
        let before = self.looks.load(Ordering::SeqCst);
        self.clock.notify();
        let executor = std::thread::current().name() == Some("streaming-job-executor-0");
        while executor && !self.held.load(Ordering::SeqCst) && self.looks.load(Ordering::SeqCst) < before + 2 {
            std::thread::yield_now();
        }
        self.held.fetch_or(executor, Ordering::SeqCst);
    }
}

/// The generator once missed the end of the last batch when it looked between the event and the count.
#[test]
fn a_graceful_stop_ends_whenever_the_last_batch_does() {
    let (draining, drains) = channel();
    let clock = ManualClock::new(Time::from_millis(0));
    let clock = Arc::new(LookingClock { clock, looks: 0.into(), held: false.into(), draining });
    let env = Env { clock: clock.clone(), ..TestEnv::new().env() };
    let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env).unwrap();
    let (begun, begin) = channel();
    let drains = std::sync::Mutex::new(drains);
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, _| {
        begun.send(()).unwrap();
        drains.lock().unwrap().recv().unwrap();
    });
    let running = ssc.start().unwrap();
    clock.clock.advance(seconds(1));
    begin.recv().unwrap();
    running.stop_gracefully().unwrap();
    assert_eq!(running.progress().completed, 1);
}

#[test]
fn a_stop_cuts_off_a_task_and_drops_what_waits() {
    let (ssc, clock) = streaming_context();
    let (begun, begin) = channel();
    let endless = numbers(&ssc).flat_map(|_| 0u64..).map(move |n| {
        if n == 0 {
            begun.send(()).unwrap();
        }
        n
    });
    // The endless partition is cut off between two chunks, where its source asks.
    endless.foreach_rdd(|rdd, _| rdd.take(1).map(drop));
    let slow = test_input(&ssc, vec![Some(vec![0; 5_000_000])], 2);
    slow.foreach_rdd(|rdd, _| rdd.map(|n: u64| n + 1).count().map(drop));
    let running = ssc.start().unwrap();
    clock.advance(seconds(3));
    begin.recv().unwrap();
    running.stop().unwrap();
    assert_eq!(running.state(), StreamingContextState::Stopped);
}

#[test]
fn a_stop_cuts_off_an_operator_that_never_ends_and_a_graceful_stop() {
    let (ssc, clock) = streaming_context();
    let (begun, begin) = channel();
    let endless = numbers(&ssc).flat_map(|_| 0u64..).map(move |n| {
        if n == 0 {
            begun.send(()).unwrap()
        }
    });
    endless.foreach_rdd(|rdd, _| rdd.count().map(drop));
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    begin.recv().unwrap();
    std::thread::scope(|scope| {
        let graceful = scope.spawn(|| running.stop_gracefully());
        running.stop().unwrap();
        graceful.join().unwrap().unwrap();
    });
    assert_eq!(running.state(), StreamingContextState::Stopped);
}

#[test]
fn what_fails_because_the_stop_cuts_it_off_is_no_failure_and_a_handle_cuts_off_too() {
    let (ssc, clock) = streaming_context();
    let (begun, begin) = channel();
    let endless = numbers(&ssc).flat_map(|_| 0u64..).map(move |n| {
        if n == 0 {
            begun.send(()).unwrap()
        }
    });
    endless.foreach_rdd(|rdd, _| assert!(rdd.count().unwrap() > 0));
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    begin.recv().unwrap();
    let handle = running.stop_handle();
    handle.request_graceful_stop();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| running.await_termination());
        handle.request_stop();
        waiter.join().unwrap().unwrap();
    });
    assert_eq!(running.state(), StreamingContextState::Stopped);
}

#[test]
fn waiting_for_the_end_inside_an_output_is_refused() {
    let (ssc, clock) = streaming_context();
    let (contexts, context) = channel::<Arc<headwater::RunningContext>>();
    let context = std::sync::Mutex::new(context);
    numbers(&ssc).foreach_rdd(move |_, _| context.lock().unwrap().recv().unwrap().await_termination());
    let running = Arc::new(ssc.start().unwrap());
    contexts.send(running.clone()).unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("cannot wait for its batches"), "{error}");
}

#[test]
fn a_stop_from_a_task_is_refused_too() {
    let (ssc, clock) = streaming_context();
    let (contexts, context) = channel::<Arc<headwater::RunningContext>>();
    let context = std::sync::Mutex::new(context);
    let stopping =
        numbers(&ssc).map(move |_| context.lock().unwrap().recv().map(|running| running.stop().unwrap_err()));
    stopping.map(|error| error.unwrap().to_string()).foreach_rdd(|rdd, _| {
        assert!(rdd.take(1).unwrap()[0].contains("stop_handle()"));
    });
    let running = Arc::new(ssc.start().unwrap());
    (0..2).for_each(|_| contexts.send(running.clone()).unwrap());
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
}

#[test]
fn after_the_stop_there_is_nothing_to_compute_with() {
    let (ssc, _clock) = streaming_context();
    let (context, _outputs) = (ssc.context().clone(), numbers(&ssc).print());
    ssc.start().unwrap().stop().unwrap();
    assert_eq!(context.parallelize(vec![1], 1).count().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn one_pending_batch_is_enough() {
    let env = TestEnv::new();
    let conf = Conf::new().master("local[1]").pending_batches_max(1);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    numbers(&ssc).print();
    let running = ssc.start().unwrap();
    for batch in 1..=100 {
        env.clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
    assert_eq!(env.warnings(), [""; 0]);
    env.clock.advance(seconds(100));
    running.await_batches(200).unwrap();
}

#[test]
fn settings_of_operators_belong_to_the_time_before_the_start() {
    let (ssc, _clock) = streaming_context();
    let counts = numbers(&ssc).count_by_value();
    counts.print();
    let running = ssc.start().unwrap();
    counts.with_partitions(3);
    assert!(running.await_termination().unwrap_err().to_string().contains("with_partitions after starting"));
    counts.uid("late");
    assert!(running.await_termination().unwrap_err().to_string().contains("naming an operator after starting"));
}

#[test]
fn contexts_run_side_by_side_and_one_after_another() {
    let run = || {
        let (ssc, clock) = streaming_context();
        let (sent, received) = channel();
        numbers(&ssc).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        let running = ssc.start().unwrap();
        clock.advance(seconds(1));
        assert_eq!(received.recv().unwrap(), [1, 2]);
        running
    };
    let (first, second) = (run(), run());
    drop(first);
    second.stop().unwrap();
    drop(run());
}

/// What a stop cuts off has not been done, and is not counted so.
#[test]
fn batches_that_a_stop_cuts_off_are_not_completed() {
    let (ssc, clock) = streaming_context();
    let (go, gate) = channel::<()>();
    let (entered, entering) = channel();
    let gate = Mutex::new(gate);
    numbers(&ssc).foreach_rdd(move |_, time| {
        entered.send(time).unwrap();
        let _opened = gate.lock().unwrap().recv();
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(4));
    go.send(()).unwrap();
    assert_eq!(entering.recv().unwrap(), Time::from_millis(1000));
    assert_eq!(entering.recv().unwrap(), Time::from_millis(2000));
    while running.progress().pending < 3 {
        std::thread::yield_now();
    }
    running.stop_handle().request_stop();
    drop(go);
    running.stop().unwrap();
    let progress = running.progress();
    assert_eq!((progress.completed, progress.failed, progress.pending), (2, 0, 0));
    assert_eq!((progress.dropped, progress.last_completed), (2, Some(Time::from_millis(2000))));
}
