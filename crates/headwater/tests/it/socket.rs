//! `socket_text_stream` against real sockets on loopback that behave badly.

use headwater::RunningContext;
use headwater::listener::{ReceiverInfo, StreamId};
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// A program that reads lines from `host:port` on one thread.
struct Reading {
    env: TestEnv,
    running: RunningContext,
    batches: Receiver<Vec<Text>>,
}

impl Reading {
    fn from(host: &str, port: u16, conf: Conf) -> Reading {
        Reading::building(host, port, conf, |_| ())
    }
    fn building(host: &str, port: u16, conf: Conf, build: impl FnOnce(&StreamingContext)) -> Reading {
        let env = TestEnv::new();
        let ssc = StreamingContext::with_env(conf.master("local[1]"), seconds(1), env.env()).unwrap();
        let (sent, batches) = channel();
        build(&ssc);
        ssc.socket_text_stream(host, port).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        Reading { env, running: ssc.start().unwrap(), batches }
    }
    /// Lets batches pass until `count` lines have come.
    fn lines(&self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            self.env.clock.advance(seconds(1));
            lines.extend(self.batches.recv().unwrap().iter().map(|line| line.to_string()));
        }
        lines
    }
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
/// Where nobody listens: on an address of its own, since another test may be given a port of the usual one.
const QUIET: &str = "127.0.0.77";
fn quiet_port() -> u16 {
    TcpListener::bind((QUIET, 0)).unwrap().local_addr().unwrap().port()
}
fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().unwrap().0
}

#[test]
fn lines_come_as_they_are_sent() {
    let (listener, port) = listen();
    let reading = Reading::from("localhost", port, Conf::new());
    let mut peer = accept(&listener);
    peer.write_all("to be\r\n\nor → not\n".as_bytes()).unwrap();
    assert_eq!(reading.lines(3), ["to be", "", "or → not"]);
    // A line is a record when its end has come.
    peer.write_all(b"half").unwrap();
    peer.write_all(b" and half\n").unwrap();
    assert_eq!(reading.lines(1), ["half and half"]);
}

#[test]
fn a_lost_connection_is_reported_and_made_again() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new());
    accept(&listener).write_all(b"first\nunfinished").unwrap();
    let warning = reading.env.await_warning("closed the connection");
    assert_eq!(warning, format!("socket_text_stream: 127.0.0.1:{port} closed the connection; trying again in 250ms"));
    assert_eq!(reading.lines(2), ["first", "unfinished"]);
    accept(&listener).write_all(b"second\n").unwrap();
    assert_eq!(reading.lines(1), ["second"]);
    reading.running.stop().unwrap();
}

#[test]
fn a_port_nobody_listens_on_is_tried_again_with_growing_pauses() {
    let port = quiet_port();
    let reading = Reading::from(QUIET, port, Conf::new());
    for (millis, pause) in [(250, "250ms"), (500, "500ms"), (1000, "1s"), (2000, "2s"), (4000, "4s"), (8000, "8s")] {
        let warning = reading.env.await_warning(&format!("trying again in {pause}"));
        assert!(warning.contains(&format!("error connecting to {QUIET}:{port}")), "{warning}");
        reading.env.clock.advance(milliseconds(millis));
    }
    let listener = TcpListener::bind((QUIET, port)).unwrap();
    reading.env.clock.advance(seconds(60));
    accept(&listener).write_all(b"at last\n").unwrap();
    assert_eq!(reading.lines(1), ["at last"]);
}

#[test]
fn an_unknown_host_is_named() {
    let reading = Reading::from("no-such-host.invalid", 9999, Conf::new());
    reading.env.await_warning("cannot resolve host no-such-host.invalid");
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_reported() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new());
    accept(&listener).write_all(b"good\nb\xffd \xf0\x9f\ngood again\n").unwrap();
    assert_eq!(reading.lines(3), ["good", "b\u{fffd}d \u{fffd}", "good again"]);
    let warning = reading.env.await_warning("not UTF-8");
    assert!(warning.contains(&format!("socket 127.0.0.1:{port}: 2 byte sequences")), "{warning}");
}

#[test]
fn ten_megabytes_without_a_newline_cost_one_line() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new());
    let mut peer = accept(&listener);
    let long = vec![b'x'; 10 << 20];
    peer.write_all(b"before\n").unwrap();
    peer.write_all(&long).unwrap();
    peer.write_all(b"\nafter\n").unwrap();
    assert_eq!(reading.lines(2), ["before", "after"]);
    let warning = reading.env.await_warning("thrown away");
    assert!(warning.contains("a line of 10485760 bytes") && warning.contains("Conf::line_bytes_max"), "{warning}");
}

#[test]
fn a_line_at_the_limit_stays_and_one_above_it_goes() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new().line_bytes_max(4));
    accept(&listener).write_all(b"1234\n12345\n\nabcd\nabcde").unwrap();
    assert_eq!(reading.lines(3), ["1234", "", "abcd"]);
    reading.env.await_warning("a line of 5 bytes was thrown away: the limit is 4 bytes");
}

#[test]
fn a_full_buffer_holds_the_peer_back_and_loses_nothing() {
    let (listener, port) = listen();
    let conf = Conf::new().buffered_bytes_max(1 << 20);
    let reading = Reading::from("127.0.0.1", port, conf);
    let mut peer = accept(&listener);
    let sender = std::thread::spawn(move || {
        for number in 0..2_000_000 {
            writeln!(peer, "{number}").unwrap();
        }
    });
    let lines = reading.lines(2_000_000);
    assert!(lines.iter().enumerate().all(|(number, line)| line.parse() == Ok(number)));
    sender.join().unwrap();
}

#[test]
fn a_graceful_stop_processes_what_was_received() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new());
    let mut peer = accept(&listener);
    peer.write_all(b"one\ntwo\n").unwrap();
    drop(peer);
    reading.env.await_warning("closed the connection");
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| reading.running.stop_gracefully());
        reading.env.clock.advance(seconds(1));
        stopping.join().unwrap().unwrap();
    });
    assert_eq!(reading.batches.try_iter().flatten().collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn a_stop_reaches_a_receiver_that_waits_for_bytes() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new());
    let _silent = accept(&listener);
    reading.running.stop().unwrap();
}

#[test]
fn a_line_that_the_stop_cuts_off_is_no_record() {
    let (listener, port) = listen();
    let reading = Reading::from("127.0.0.1", port, Conf::new());
    let mut peer = accept(&listener);
    peer.write_all(b"whole\n").unwrap();
    assert_eq!(reading.lines(1), ["whole"]);
    peer.write_all(b"part").unwrap();
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| reading.running.stop_gracefully());
        reading.env.clock.advance(seconds(1));
        stopping.join().unwrap().unwrap();
    });
    assert_eq!(reading.batches.try_iter().flatten().collect::<Vec<_>>(), [""; 0]);
}

/// What a listener hears of receivers, and the records and the description of each batch's input 1.
fn hear(ssc: &StreamingContext) -> (Receiver<(&'static str, ReceiverInfo)>, Receiver<Option<(u64, String)>>) {
    let ((receivers, of_receivers), (batches, of_batches)) = (channel(), channel());
    ssc.add_streaming_listener(move |event: &StreamingEvent| match event {
        StreamingEvent::ReceiverStarted(receiver)
        | StreamingEvent::ReceiverError(receiver)
        | StreamingEvent::ReceiverStopped(receiver) => receivers.send((event.name(), receiver.clone())).unwrap(),
        StreamingEvent::BatchCompleted(batch) => {
            let input = batch.stream_id_to_input_info.get(&StreamId::new(1));
            let said = input.map(|input| (input.num_records, input.metadata_description().unwrap().to_owned()));
            batches.send(said).unwrap();
        }
        _ => {}
    });
    (of_receivers, of_batches)
}

#[test]
fn a_listener_hears_how_the_receiver_is() {
    let port = quiet_port();
    let mut heard = None;
    let reading = Reading::building(QUIET, port, Conf::new(), |ssc| {
        // The first input, so that the socket is the second.
        ssc.queue_stream(&RddQueue::<u64>::new());
        heard = Some(hear(ssc).0);
    });
    let heard = heard.unwrap();
    let (event, failed) = heard.recv().unwrap();
    assert_eq!((event, failed.active, failed.last_error_time), ("ReceiverError", false, Some(Time::from_millis(0))));
    let message = failed.last_error_message.unwrap();
    assert!(message.starts_with(&format!("error connecting to {QUIET}:{port}: ")), "{message}");
    assert!(message.ends_with(&failed.last_error.unwrap()), "{message}");

    let listener = TcpListener::bind((QUIET, port)).unwrap();
    reading.env.clock.advance(milliseconds(250));
    let mut peer = accept(&listener);
    let (event, started) = heard.recv().unwrap();
    let mut expected = ReceiverInfo::new(StreamId::new(1), "SocketReceiver");
    expected.active = true;
    assert_eq!((event, started), ("ReceiverStarted", expected.clone()));
    assert_eq!(
        (&*expected.name, &*expected.location, &*expected.executor_id),
        ("SocketReceiver-1", "localhost", "driver")
    );

    peer.write_all(b"line\n").unwrap();
    drop(peer);
    let (event, failed) = heard.recv().unwrap();
    let closed = format!("{QUIET}:{port} closed the connection");
    assert_eq!((event, failed.active), ("ReceiverError", false));
    assert_eq!((failed.last_error_message, failed.last_error), (Some(closed.clone()), None));
    assert_eq!(failed.last_error_time, Some(Time::from_millis(250)));
    reading.running.stop().unwrap();
    let (event, stopped) = heard.recv().unwrap();
    assert_eq!((event, stopped.active, stopped.last_error_message), ("ReceiverStopped", false, Some(closed)));
    assert_eq!(heard.iter().count(), 0);
}

#[test]
fn a_listener_hears_how_many_lines_came() {
    let (listener, port) = listen();
    let mut heard = None;
    let reading = Reading::building("127.0.0.1", port, Conf::new(), |ssc| {
        ssc.queue_stream(&RddQueue::<u64>::new());
        heard = Some(hear(ssc).1);
    });
    let heard = heard.unwrap();
    let mut peer = accept(&listener);
    // More than a block in the first batch: 8 MiB.
    let lines = [300_000, 1, 0, 5];
    for lines in lines {
        peer.write_all("a line of more than thirty bytes\r\n".repeat(lines).as_bytes()).unwrap();
        reading.lines(lines);
    }
    drop(peer);
    reading.env.await_warning("closed the connection");
    reading.running.stop_handle().request_stop();
    let _stopped = reading.running.await_termination();
    let said: Vec<(u64, String)> = heard.iter().map(|said| said.expect("a socket tells its records")).collect();
    assert_eq!(said.iter().map(|(records, _)| *records).sum::<u64>(), 300_006);
    assert!(said.iter().all(|(_, description)| *description == format!("127.0.0.1:{port}")), "{said:?}");
}
