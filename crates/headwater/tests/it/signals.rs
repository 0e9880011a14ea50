//! SIGTERM and Ctrl-C: raised by hand, and once for real, in a process of its own.

use headwater::env::Signal;
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater::{ErrorKind, StreamingContextState};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;

fn context(env: &TestEnv, conf: Conf) -> StreamingContext {
    StreamingContext::with_env(conf.master("local[1]"), seconds(1), env.env()).unwrap()
}

#[test]
fn the_first_signal_stops_gracefully_whether_the_end_is_awaited_or_not() {
    for (signal, awaited) in [(Signal::Terminate, true), (Signal::Interrupt, false)] {
        let (env, queue, (sent, received)) = (TestEnv::new(), RddQueue::new(), channel());
        let ssc = context(&env, Conf::new());
        queue.push(ssc.context().parallelize(vec![1, 2], 1)).unwrap();
        ssc.queue_stream(&queue).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        let running = ssc.start().unwrap();
        assert!(env.signals.raise(signal));
        env.await_warning(&format!("{signal}: stops gracefully; one more signal cuts off what runs"));
        env.clock.advance(seconds(1));
        if awaited {
            running.await_termination().unwrap();
        }
        while running.state() != StreamingContextState::Stopped {
            std::thread::yield_now();
        }
        assert_eq!(received.try_iter().collect::<Vec<_>>(), [vec![1, 2]]);
        assert!(!env.signals.raise(signal), "behind the stop it would end the process");
    }
}

#[test]
fn the_second_signal_cuts_off_what_runs_and_the_third_would_end_the_process() {
    let (env, (begun, begin)) = (TestEnv::new(), channel());
    let ssc = context(&env, Conf::new());
    let endless = ssc.queue_stream(&RddQueue::<u64>::new()).map_partitions(|_| 0u64..).map(move |n| {
        if n == 0 {
            begun.send(()).unwrap();
        }
    });
    endless.foreach_rdd(|rdd, _| rdd.count().map(drop));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    begin.recv().unwrap();
    assert!(env.signals.raise(Signal::Interrupt) && env.signals.raise(Signal::Terminate));
    let error = running.await_termination().expect_err("the program must not end as if all were done");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let left = "with this left: batch 1000 ms; output operation 0 (foreach_rdd at ";
    let said = format!("the graceful stop was cut short by a second signal, SIGTERM, {left}");
    assert!(error.to_string().contains(&said), "{error}");
    env.await_warning(&format!("SIGTERM: cuts off what runs, {left}"));
    assert!(!env.signals.raise(Signal::Interrupt));
    assert_eq!(running.progress().dropped, 1);
}

#[test]
fn every_context_of_the_process_gets_a_signal() {
    let env = TestEnv::new();
    let contexts = [(), ()].map(|()| {
        let ssc = context(&env, Conf::new());
        ssc.queue_stream(&RddQueue::<i32>::new()).print();
        ssc.start().unwrap()
    });
    let [first, second] = &contexts;
    first.stop().unwrap();
    assert!(env.signals.raise(Signal::Terminate));
    second.await_termination().unwrap();
}

#[test]
fn the_error_of_a_stop_that_a_signal_began_goes_to_whoever_awaits_the_end() {
    let (env, (begun, begin), (go, gate)) = (TestEnv::new(), channel(), channel::<()>());
    let ssc = context(&env, Conf::new().graceful_stop_timeout(seconds(5)));
    let gate = Mutex::new(gate);
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, _| {
        begun.send(()).unwrap();
        let _opened = gate.lock().unwrap().recv();
    });
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    begin.recv().unwrap();
    assert!(env.signals.raise(Signal::Terminate));
    let error = std::thread::scope(|scope| {
        let awaiting = scope.spawn(|| running.await_termination().unwrap_err());
        env.await_warning("SIGTERM");
        while !awaiting.is_finished() {
            env.clock.advance(seconds(1));
            std::thread::yield_now();
        }
        awaiting.join().unwrap()
    });
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(error.to_string().contains("not over within 5s"), "{error}");
    drop(go);
}

/// Set in the process that gets real signals.
const CHILD: &str = "HEADWATERS_CHILD_OF_A_TEST";

/// The program of that process: it ends by the signal behind its stop. Elsewhere it is an empty test.
#[test]
fn a_program_that_gets_signals() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let say = |words: &str| writeln!(std::io::stdout(), "\nchild: {words}").unwrap();
    let ssc = StreamingContext::new(Conf::new().master("local[1]"), milliseconds(10)).unwrap();
    ssc.queue_stream(&RddQueue::<i32>::new()).foreach_rdd(move |_, _| ());
    let running = ssc.start().unwrap();
    running.await_batches(1).unwrap();
    say("runs");
    running.await_termination().unwrap();
    say(&format!("{:?}", running.state()));
    loop {
        std::thread::park();
    }
}

#[cfg(unix)]
#[test]
fn a_real_signal_stops_a_process_gracefully_and_one_behind_the_stop_ends_it() {
    use std::os::unix::process::ExitStatusExt;
    for (signal, number) in [("-TERM", 15), ("-INT", 2)] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "signals::a_program_that_gets_signals", "--nocapture", "--test-threads=1"])
            .env(CHILD, "yes")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let send =
            |pid: u32| assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        for expected in ["child: runs", "child: Stopped"] {
            assert!(lines.any(|line| line == expected), "the child ended before it said {expected:?}");
            send(child.id());
        }
        assert_eq!(child.wait().unwrap().signal(), Some(number));
    }
}
