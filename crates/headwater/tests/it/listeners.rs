//! What listeners hear, in which order, and that they hold up nothing.

use headwater::listener::{BatchInfo, OutputOperationInfo, StatsReportListener, StreamId, StreamingEvent};
use headwater::prelude::*;
use headwater::testkit::{TestEnv, streaming_context, test_input};
use headwater::{RddQueue, RunningContext, StreamingContextState};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};

fn ms(milliseconds: i64) -> Time {
    Time::from_millis(milliseconds)
}

/// Hears everything; the events end when the context has dropped its listeners.
fn hear(ssc: &StreamingContext) -> Receiver<StreamingEvent> {
    let (sent, received) = channel();
    ssc.add_streaming_listener(move |event: &StreamingEvent| sent.send(event.clone()).unwrap());
    received
}
fn names(events: impl IntoIterator<Item = StreamingEvent>) -> Vec<&'static str> {
    events.into_iter().map(|event| event.name()).collect()
}
fn completed(events: impl IntoIterator<Item = StreamingEvent>) -> Vec<BatchInfo> {
    let batch = |event| if let StreamingEvent::BatchCompleted(batch) = event { Some(batch) } else { None };
    events.into_iter().filter_map(batch).collect()
}
fn context(env: &TestEnv, conf: Conf) -> StreamingContext {
    StreamingContext::with_env(conf.master("local[1]"), seconds(1), env.env()).unwrap()
}
/// One batch after another.
fn advance(env: &TestEnv, running: &RunningContext, batches: u64) {
    for _ in 0..batches {
        let next = running.progress().completed + 1;
        env.clock.advance(seconds(1));
        running.await_batches(next).unwrap();
    }
}
const OF_A_BATCH: [&str; 5] =
    ["BatchSubmitted", "BatchStarted", "OutputOperationStarted", "OutputOperationCompleted", "BatchCompleted"];

#[test]
fn a_batch_is_told_step_by_step_with_all_that_is_known() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new());
    let numbers = test_input(&ssc, vec![Some(vec![1, 2, 3])], 1);
    let queued = ssc.queue_stream(&RddQueue::<i32>::new());
    let (five, seven) = (env.clock.clone(), env.clock.clone());
    let place = line!() + 1;
    numbers.foreach_rdd(move |_, _| five.advance(milliseconds(5))).uid("five");
    queued.foreach_rdd(move |_, _| seven.advance(milliseconds(7)));
    let events = hear(&ssc);
    env.clock.set(ms(10));
    let running = ssc.start().unwrap();
    env.clock.set(ms(1000));
    running.await_batches(1).unwrap();
    running.stop().unwrap();
    let events: Vec<_> = events.iter().collect();

    let Some(StreamingEvent::BatchSubmitted(mut batch)) = events.get(1).cloned() else { panic!("{events:?}") };
    assert_eq!((batch.batch_time, batch.submission_time), (ms(1000), ms(1000)));
    assert_eq!((batch.processing_start_time, batch.processing_end_time), (None, None));
    let inputs: Vec<_> = batch.stream_id_to_input_info.iter().map(|(id, input)| (*id, input.num_records)).collect();
    assert_eq!((inputs, batch.num_records()), (vec![(StreamId::new(0), 3)], 3));
    let mut outputs: Vec<_> = batch.output_operation_infos.values().cloned().collect();
    let [first, second] = &mut outputs[..] else { panic!("two outputs: {batch:?}") };
    assert_eq!(first.name, format!("foreach_rdd at crates/headwater/tests/it/listeners.rs:{place}:13"));
    assert_eq!(first.description, format!("{} (operator five)", first.name));
    assert_eq!(*first, {
        let mut output = OutputOperationInfo::new(ms(1000), 0, &first.name);
        output.description = first.description.clone();
        output
    });

    let mut expected =
        vec![StreamingEvent::StreamingStarted { time: ms(10) }, StreamingEvent::BatchSubmitted(batch.clone())];
    batch.processing_start_time = Some(ms(1000));
    expected.push(StreamingEvent::BatchStarted(batch.clone()));
    for (output, start, end) in [(first, 1000, 1005), (second, 1005, 1012)] {
        output.start_time = Some(ms(start));
        expected.push(StreamingEvent::OutputOperationStarted(output.clone()));
        output.end_time = Some(ms(end));
        expected.push(StreamingEvent::OutputOperationCompleted(output.clone()));
        assert_eq!(output.duration(), Some(ms(end) - ms(start)));
        batch.output_operation_infos.insert(output.id, output.clone());
    }
    batch.processing_end_time = Some(ms(1012));
    expected.push(StreamingEvent::BatchCompleted(batch.clone()));
    assert_eq!(events, expected);
    let delays = (batch.scheduling_delay(), batch.processing_delay(), batch.total_delay());
    assert_eq!(delays, (Some(Duration::ZERO), Some(milliseconds(12)), Some(milliseconds(12))));
}

#[test]
fn a_batch_that_waits_has_a_scheduling_delay() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new());
    let clock = env.clock.clone();
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, time| {
        if time == ms(1000) {
            clock.advance(milliseconds(2500));
        }
    });
    let events = hear(&ssc);
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    running.await_batches(3).unwrap();
    running.stop().unwrap();
    let delays = completed(events.iter()).into_iter().map(|batch| {
        assert_eq!(batch.total_delay(), Some(batch.processing_end_time.unwrap() - batch.submission_time));
        // The clock goes past the next batches in one step, so that these are submitted late.
        let waited = batch.processing_start_time.unwrap() - batch.batch_time;
        (waited.as_millis(), batch.processing_delay().unwrap().as_millis())
    });
    assert_eq!(delays.collect::<Vec<_>>(), [(0, 2500), (1500, 0), (500, 0)]);
}

#[test]
fn a_batch_without_jobs_posts_nothing() {
    let (ssc, clock) = streaming_context();
    test_input(&ssc, vec![None, Some(vec![1]), None], 1).print();
    let events = hear(&ssc);
    let running = ssc.start().unwrap();
    clock.advance(seconds(3));
    running.await_batches(3).unwrap();
    running.stop().unwrap();
    let events: Vec<_> = events.iter().collect();
    assert_eq!(names(events.clone()), [&["StreamingStarted"], &OF_A_BATCH[..]].concat());
    assert_eq!(completed(events)[0].batch_time, ms(2000));
}

#[test]
fn what_fails_is_told_with_its_reason_and_the_batch_is_completed_all_the_same() {
    let (ssc, clock) = streaming_context();
    let numbers = test_input(&ssc, vec![Some(vec![1])], 1);
    numbers.foreach_rdd(|_, _| Err::<(), _>("the database is away"));
    numbers.foreach_rdd(|_, _| ());
    numbers.foreach_rdd(|_, _| -> () { panic!("no disk") });
    numbers.map(|x| 1 / (x - 1)).foreach_rdd(|rdd, _| rdd.count().map(drop));
    numbers.transform(|_, _| panic!("no such table")).map(|x: i32| x).print();
    let events = hear(&ssc);
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    while running.progress().completed < 1 {
        let _failed = running.await_batches(1);
    }
    let _failed = running.stop();
    let events: Vec<_> = events.iter().collect();
    let batch = &completed(events.clone())[0];
    let reasons: BTreeMap<usize, &str> =
        batch.output_operation_infos.values().filter_map(|o| Some((o.id, o.failure_reason.as_deref()?))).collect();
    assert_eq!(reasons.keys().copied().collect::<Vec<_>>(), [0, 2, 3, 4]);
    let parts = [
        (0, "the output failed: the database is away"),
        (2, "panicked: no disk"),
        (3, "panicked: attempt to divide by zero"),
        (4, "error generating the job: transform at"),
        (4, "no such table"),
    ];
    for (id, part) in parts {
        assert!(reasons[&id].contains(part), "{part:?} is not in {:?}", reasons[&id]);
    }
    // Each was told when it ended, too.
    let told = |event| match event {
        StreamingEvent::OutputOperationCompleted(output) => output.failure_reason.map(|reason| (output.id, reason)),
        _ => None,
    };
    let told: BTreeMap<usize, String> = events.into_iter().filter_map(told).collect();
    assert!(told.iter().map(|(id, reason)| (*id, reason.as_str())).eq(reasons));
    assert!(batch.processing_end_time.is_some());
}

#[test]
fn jobs_of_a_batch_that_run_at_a_time_are_told_within_it() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new().concurrent_jobs(2));
    let numbers = test_input(&ssc, vec![Some(vec![1]); 100], 1);
    let both = Arc::new(Barrier::new(2));
    for _ in 0..2 {
        let both = both.clone();
        numbers.foreach_rdd(move |_, _| {
            both.wait();
        });
    }
    let events = hear(&ssc);
    let running = ssc.start().unwrap();
    advance(&env, &running, 100);
    running.stop().unwrap();
    let events = names(events);
    for batch in events[1..].chunks(7) {
        assert_eq!(batch[..3], ["BatchSubmitted", "BatchStarted", "OutputOperationStarted"]);
        assert_eq!(batch[3], "OutputOperationStarted");
        assert_eq!(batch[4..], ["OutputOperationCompleted", "OutputOperationCompleted", "BatchCompleted"]);
    }
    assert_eq!(events.len(), 1 + 100 * 7);
}

#[test]
fn a_listener_that_panics_is_named_and_stays_and_the_others_hear_everything() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new());
    ssc.queue_stream(&RddQueue::<i32>::new()).print();
    struct Broken(Sender<Time>);
    impl StreamingListener for Broken {
        fn on_batch_completed(&mut self, batch: &BatchInfo) {
            self.0.send(batch.batch_time).unwrap();
            panic!("no disk");
        }
    }
    let (sent, heard) = channel();
    let place = line!() + 1;
    ssc.add_streaming_listener(Broken(sent));
    let events = hear(&ssc);
    let running = ssc.start().unwrap();
    advance(&env, &running, 4);
    running.stop().unwrap();
    assert_eq!(events.iter().count(), 1 + 4 * 5);
    assert_eq!(heard.iter().count(), 4);
    // The first, the second and the fourth are said.
    let warnings = env.warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for part in
        ["Broken added at", &format!("it/listeners.rs:{place}:"), "panicked on BatchCompleted: no disk; it stays"]
    {
        assert!(warnings[0].contains(part), "{part:?} is not in {:?}", warnings[0]);
    }
    assert!(warnings[2].contains("panicked on BatchCompleted, 4 times so far: no disk"), "{}", warnings[2]);
}

#[test]
fn a_slow_listener_holds_up_no_batch_and_what_it_cannot_take_is_counted() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new().listener_queue_max(3));
    ssc.queue_stream(&RddQueue::<i32>::new()).print();
    let ((begun, begin), (go, gate), (sent, heard)) = (channel(), channel::<()>(), channel());
    ssc.add_streaming_listener(move |event: &StreamingEvent| {
        begun.send(()).unwrap();
        // An error means that the test has opened the gate for good.
        let _opened = gate.recv();
        sent.send(event.name()).unwrap();
    });
    let running = ssc.start().unwrap();
    // Dropped before the context when the test fails.
    let go = go;
    begin.recv().unwrap();
    // It has the first event in hand, so that three of the first batch's five wait.
    advance(&env, &running, 1);
    assert_eq!(running.dropped_events(), 2);
    advance(&env, &running, 59);
    assert_eq!(running.dropped_events(), 2 + 59 * 5);
    let of_events =
        |warnings: Vec<String>| warnings.into_iter().filter(|warning| warning.starts_with("events dropped"));
    assert_eq!(
        of_events(env.warnings()).collect::<Vec<_>>(),
        ["events dropped for slow listeners: 1 since the last warning, 1 in all; 3 wait, the limit \
          (Conf::listener_queue_max)"]
    );
    // The next warning comes a minute behind the first.
    advance(&env, &running, 1);
    assert_eq!(of_events(env.warnings()).count(), 2);
    advance(&env, &running, 10);
    drop(go);
    running.stop().unwrap();
    assert_eq!(heard.iter().collect::<Vec<_>>(), [&["StreamingStarted"], &OF_A_BATCH[..3]].concat());
    // What no warning had said is said in the end.
    let warnings: Vec<_> = of_events(env.warnings()).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[2].contains(&format!("{} in all", 2 + 70 * 5)), "{}", warnings[2]);
}

/// A listener that never comes back cannot make the others pile up.
#[test]
fn listeners_that_wait_to_be_added_are_bounded() {
    let (ssc, _clock) = streaming_context();
    ssc.queue_stream(&RddQueue::<i32>::new()).print();
    let (go, gate) = channel::<()>();
    ssc.add_streaming_listener(move |_: &StreamingEvent| {
        let _opened = gate.recv();
    });
    let running = ssc.start().unwrap();
    let go = go;
    let mut added = 0;
    let error = loop {
        match running.add_streaming_listener(|_: &StreamingEvent| ()) {
            Ok(listener) => assert!(running.remove_streaming_listener(&listener)),
            Err(error) => break error,
        }
        added += 1;
        assert!(added < 10_000, "it must be refused");
    };
    assert_eq!(error.kind(), headwater::ErrorKind::Resources);
    assert!(error.to_string().contains("wait to be added or removed"), "{error}");
    drop(go);
}

#[test]
fn a_listener_cannot_stop_or_await_the_context_and_may_request_the_stop() {
    let (ssc, clock) = streaming_context();
    test_input(&ssc, vec![Some(vec![1])], 1).print();
    let ((contexts, context), (sent, errors)) = (channel::<Arc<RunningContext>>(), channel());
    ssc.add_streaming_listener(move |event: &StreamingEvent| {
        if let StreamingEvent::BatchCompleted(_) = event {
            let running = context.recv().unwrap();
            let results = [running.stop(), running.stop_gracefully(), running.await_termination()];
            sent.send(results.map(|result| result.unwrap_err().to_string())).unwrap();
            running.stop_handle().request_graceful_stop();
        }
    });
    let running = Arc::new(ssc.start().unwrap());
    contexts.send(running.clone()).unwrap();
    clock.advance(seconds(1));
    running.await_termination().unwrap();
    let [stop, graceful, wait] = errors.recv().unwrap();
    for error in [stop, graceful] {
        assert!(error.contains("listener") && error.contains("stop_handle()"), "{error}");
    }
    assert!(wait.contains("cannot wait"), "{wait}");
    assert_eq!(running.state(), StreamingContextState::Stopped);
}

#[test]
fn a_listener_that_holds_the_context_last_ends_it() {
    let (ssc, clock) = streaming_context();
    let ended = Arc::new(());
    let alive = ended.clone();
    test_input(&ssc, vec![Some(vec![1])], 1).foreach_rdd(move |_, _| drop(alive.clone()));
    let (contexts, context) = channel::<RunningContext>();
    ssc.add_streaming_listener(move |event: &StreamingEvent| {
        if let StreamingEvent::BatchCompleted(_) = event {
            drop(context.recv().unwrap());
        }
    });
    contexts.send(ssc.start().unwrap()).unwrap();
    clock.advance(seconds(1));
    // The program goes when the last of the context's threads has ended.
    while Arc::strong_count(&ended) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn listeners_come_and_go_while_the_context_runs() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new());
    ssc.queue_stream(&RddQueue::<i32>::new()).print();
    let (gone, stays) = (channel(), channel());
    let record = |sent: Sender<_>| move |event: &StreamingEvent| sent.send(event.name()).unwrap();
    let never = ssc.add_streaming_listener(|_: &StreamingEvent| panic!("it was removed before the start"));
    let first = ssc.add_streaming_listener(record(gone.0));
    assert!(ssc.remove_streaming_listener(&never) && !ssc.remove_streaming_listener(&never));
    let running = ssc.start().unwrap();
    advance(&env, &running, 1);
    let second = running.add_streaming_listener(record(stays.0)).unwrap();
    advance(&env, &running, 1);
    // Until it has heard all, since what waits is not given to one that is removed.
    let heard: Vec<_> = gone.1.iter().take(11).collect();
    assert_eq!(heard, [&["StreamingStarted"], &OF_A_BATCH[..], &OF_A_BATCH[..]].concat());
    assert!(running.remove_streaming_listener(&first) && !running.remove_streaming_listener(&first));
    // It is dropped then, with its channel.
    assert_eq!(gone.1.iter().count(), 0);
    advance(&env, &running, 1);
    let (other, _clock) = streaming_context();
    assert!(!other.remove_streaming_listener(&second));
    running.stop().unwrap();
    // It came behind the start and the first batch.
    assert_eq!(stays.1.iter().collect::<Vec<_>>(), [OF_A_BATCH; 2].concat());
    let error = running.add_streaming_listener(|_: &StreamingEvent| ()).err().unwrap().to_string();
    assert!(error.contains("it/listeners.rs") && error.contains("has stopped"), "{error}");
}

#[test]
fn a_batch_that_was_submitted_while_nobody_listened_is_not_told() {
    let (ssc, clock) = streaming_context();
    let ((begun, begin), (go, gate)) = (channel(), channel::<()>());
    let gate = Mutex::new(gate);
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, _| {
        begun.send(()).unwrap();
        let _opened = gate.lock().unwrap().recv();
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    begin.recv().unwrap();
    let (sent, heard) = channel();
    running
        .add_streaming_listener(move |event: &StreamingEvent| {
            if let StreamingEvent::BatchSubmitted(batch) | StreamingEvent::BatchCompleted(batch) = event {
                sent.send((event.name(), batch.batch_time)).unwrap();
            }
        })
        .unwrap();
    drop(go);
    running.await_batches(1).unwrap();
    clock.advance(seconds(1));
    running.await_batches(2).unwrap();
    running.stop().unwrap();
    assert_eq!(heard.iter().collect::<Vec<_>>(), [("BatchSubmitted", ms(2000)), ("BatchCompleted", ms(2000))]);
}

/// The last event is delivered before the stop returns, though the listener is late; what is dropped is never completed.
#[test]
fn a_stop_delivers_what_was_posted_and_completes_no_batch_that_it_drops() {
    let (ssc, clock) = streaming_context();
    let (begun, begin) = channel();
    let endless = test_input(&ssc, vec![Some(vec![0u64]); 3], 1).flat_map(|_| 0u64..).map(move |n| {
        if n == 0 {
            begun.send(()).unwrap();
        }
    });
    endless.foreach_rdd(|rdd, _| rdd.count().map(drop));
    let ((go, gate), (sent, heard)) = (channel::<()>(), channel());
    ssc.add_streaming_listener(move |event: &StreamingEvent| {
        let _opened = gate.recv();
        sent.send(event.clone()).unwrap();
    });
    let running = ssc.start().unwrap();
    // Dropped before the context when the test fails.
    let go = go;
    clock.advance(seconds(3));
    begin.recv().unwrap();
    while running.progress().pending < 3 {
        std::thread::yield_now();
    }
    drop(go);
    running.stop().unwrap();
    let heard: Vec<_> = heard.try_iter().collect();
    let completed = completed(heard.clone());
    assert_eq!(completed.iter().map(|batch| batch.batch_time).collect::<Vec<_>>(), [ms(1000)]);
    assert!(completed[0].output_operation_infos[&0].failure_reason.is_some());
    assert_eq!(names(heard).iter().filter(|name| **name == "BatchSubmitted").count(), 3);
}

#[test]
fn a_listener_that_panics_when_it_is_dropped_is_named() {
    struct Fragile;
    impl StreamingListener for Fragile {}
    impl Drop for Fragile {
        fn drop(&mut self) {
            panic!("cannot be closed");
        }
    }
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new());
    ssc.queue_stream(&RddQueue::<i32>::new()).print();
    ssc.add_streaming_listener(Fragile);
    let events = hear(&ssc);
    ssc.start().unwrap().stop().unwrap();
    assert_eq!(names(events), ["StreamingStarted"]);
    let warning = env.await_warning("cannot be closed");
    assert!(warning.contains("Fragile added at") && warning.contains("when it was dropped"), "{warning}");
}

#[test]
fn the_stats_are_those_of_the_last_batches() {
    let env = TestEnv::new();
    let ssc = context(&env, Conf::new());
    let clock = env.clock.clone();
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, time| {
        clock.advance(milliseconds(10 * (time.milliseconds() as u64 / 1000)));
    });
    ssc.add_streaming_listener(StatsReportListener::new(2, ssc.context()));
    ssc.add_streaming_listener(StatsReportListener::new(0, ssc.context()));
    let running = ssc.start().unwrap();
    for batch in 1..=3 {
        env.clock.set(ms(1000 * batch));
        running.await_batches(batch as u64).unwrap();
    }
    running.stop().unwrap();
    let printed = env.printed();
    let counts = printed.lines().filter(|line| line.contains("count")).collect::<Vec<_>>();
    assert_eq!(counts.len(), 6, "{printed}");
    assert_eq!(
        counts[1],
        "Processing time: (count: 1, mean: 10.000000, stdev: 0.000000, max: 10.000000, min: 10.000000)"
    );
    assert_eq!(counts[4], "Total delay: (count: 2, mean: 25.000000, stdev: 5.000000, max: 30.000000, min: 20.000000)");
    assert!(printed.ends_with("\t20 ms\t20 ms\t20 ms\t20 ms\t30 ms\t30 ms\t30 ms\t30 ms\t30 ms\n"), "{printed}");
}
