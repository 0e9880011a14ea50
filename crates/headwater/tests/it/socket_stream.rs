//! `socket_stream`: converters that work and converters that fail, over real sockets on loopback.

use headwater::prelude::*;
use headwater::testkit::{TestEnv, streaming_context};
use headwater::{ErrorKind, RunningContext};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// A program that reads numbers from a listener on one thread.
struct Reading {
    env: TestEnv,
    running: Arc<RunningContext>,
    batches: Receiver<Vec<u32>>,
    listener: TcpListener,
    port: u16,
}

impl Reading {
    fn by<I, E>(conf: Conf, converter: impl Fn(Box<dyn Read + Send>) -> I + Send + Sync + 'static) -> Reading
    where
        I: IntoIterator<Item = Result<u32, E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let env = TestEnv::new();
        let ssc = StreamingContext::with_env(conf.master("local[1]"), seconds(1), env.env()).unwrap();
        let (sent, batches) = channel();
        let numbers = ssc.socket_stream("127.0.0.1", port, converter);
        numbers.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        let running = Arc::new(ssc.start().unwrap());
        Reading { env, running, batches, listener, port }
    }
    fn accept(&self) -> TcpStream {
        self.listener.accept().unwrap().0
    }
    /// Lets batches pass until `count` numbers have come.
    fn numbers(&self, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            self.env.clock.advance(seconds(1));
            numbers.extend(self.batches.recv().unwrap());
        }
        numbers
    }
}

/// Decimal numbers, one a line; a line that is none is an error.
fn lines(bytes: Box<dyn Read + Send>) -> impl Iterator<Item = io::Result<u32>> {
    let parse = |line: String| line.parse().map_err(|_| io::Error::other(format!("{line:?} is no number")));
    BufReader::new(bytes).lines().map(move |line| parse(line?))
}

#[test]
fn records_come_as_the_converter_makes_them() {
    let reading = Reading::by(Conf::new(), lines);
    let mut peer = reading.accept();
    peer.write_all(b"1\n22\n").unwrap();
    assert_eq!(reading.numbers(2), [1, 22]);
    peer.write_all(b"3").unwrap();
    peer.write_all(b"3\n").unwrap();
    assert_eq!(reading.numbers(1), [33]);
}

#[test]
fn an_address_that_cannot_be_is_refused() {
    for (host, port) in [("", 9999), ("localhost", 0)] {
        let (ssc, _clock) = streaming_context();
        ssc.socket_stream(host, port, lines).print();
        let error = ssc.start().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Program);
        let expected = format!("socket_stream({host:?}, {port}): it needs a host name or address and a port");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

/// A connection that ends in one of these ways is closed, with a warning, and made again; what came before stays.
#[test]
fn whatever_ends_a_connection_it_is_made_again() {
    let ends: [(&str, &[u8], &str); 4] = [
        ("the peer closes", b"7\n", "127.0.0.1:PORT has no more records"),
        ("the iterator ends", b"7\nend\n", "127.0.0.1:PORT has no more records"),
        ("an error", b"7\nseven\n", "the converter for 127.0.0.1:PORT failed: \"seven\" is no number"),
        ("a panic of the iterator", b"7\nboom\n", "the converter for 127.0.0.1:PORT panicked: out of range"),
    ];
    for (end, bytes, warning) in ends {
        let reading = Reading::by(Conf::new(), |bytes| {
            let parse = |line: String| match &*line {
                "end" => None,
                "boom" => panic!("out of range"),
                _ => Some(line.parse().map_err(|_| format!("{line:?} is no number"))),
            };
            BufReader::new(bytes).lines().map_while(move |line| parse(line.unwrap()))
        });
        let mut peer = reading.accept();
        peer.write_all(bytes).unwrap();
        if end == "the peer closes" {
            drop(peer);
        } else {
            // The connection is closed from the other side.
            assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0, "{end}");
        }
        let expected =
            format!("socket_stream: {}; trying again in 250ms", warning.replace("PORT", &reading.port.to_string()));
        assert_eq!(reading.env.await_warning("trying again"), expected, "{end}");
        assert_eq!(reading.numbers(1), [7], "{end}");
        reading.accept().write_all(b"8\n").unwrap();
        assert_eq!(reading.numbers(1), [8], "{end}");
    }
}

#[test]
fn a_converter_that_panics_at_once_is_called_again_after_growing_pauses() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let reading = Reading::by(Conf::new(), move |bytes| {
        assert!(counted.fetch_add(1, Ordering::Relaxed) > 1, "no greeting");
        lines(bytes)
    });
    for (millis, pause) in [(250, "250ms"), (500, "500ms")] {
        let _greeted = reading.accept();
        let warning = reading.env.await_warning(&format!("trying again in {pause}"));
        assert!(warning.contains("panicked: no greeting"), "{warning}");
        reading.env.clock.advance(milliseconds(millis));
    }
    // Kept open, or the receiver would connect once more.
    let mut peer = reading.accept();
    peer.write_all(b"1\n").unwrap();
    assert_eq!(reading.numbers(1), [1]);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

/// The converter makes records without end; it is asked for no more than may be held.
#[test]
fn at_the_limit_of_buffered_records_the_receiver_waits() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let reading = Reading::by(Conf::new().buffered_records_max(10), move |bytes| {
        let counted = counted.clone();
        let _open = bytes;
        std::iter::from_fn(move || Some(Ok::<_, io::Error>(counted.fetch_add(1, Ordering::SeqCst) as u32)))
    });
    let _peer = reading.accept();
    let mut numbers = Vec::new();
    while numbers.len() < 1000 {
        let before = numbers.len();
        numbers.extend(reading.numbers(1));
        // Those of this batch are held until it is done, and at most ten are held.
        assert!(numbers.len() - before <= 10, "{}", numbers.len() - before);
    }
    assert!(numbers.iter().copied().eq(0..numbers.len() as u32));
    // A stop reaches a receiver that waits for room.
    reading.running.stop().unwrap();
    let asked_for = asked.load(Ordering::SeqCst);
    assert!(asked_for <= numbers.len() + 20, "{asked_for} were asked for, {} came", numbers.len());
}

#[test]
fn a_graceful_stop_processes_what_was_received_and_a_cut_off_record_is_none() {
    let reading = Reading::by(Conf::new(), lines);
    let mut peer = reading.accept();
    peer.write_all(b"1\n").unwrap();
    assert_eq!(reading.numbers(1), [1]);
    peer.write_all(b"2\n3").unwrap();
    // `lines` gives out a last line without an end, which the stop has cut off here.
    while !matches!(reading.batches.try_recv(), Ok(batch) if batch == [2]) {
        reading.env.clock.advance(seconds(1));
        std::thread::yield_now();
    }
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| reading.running.stop_gracefully());
        reading.env.clock.advance(seconds(1));
        stopping.join().unwrap().unwrap();
    });
    assert_eq!(reading.batches.try_iter().flatten().collect::<Vec<_>>(), [0; 0]);
}

#[test]
fn a_converter_cannot_stop_the_context_and_may_request_the_stop() {
    let (contexts, context) = channel::<Arc<RunningContext>>();
    let (context, (sent, errors)) = (Mutex::new(context), channel());
    let reading = Reading::by(Conf::new(), move |bytes| {
        let running = context.lock().unwrap().recv().unwrap();
        sent.send(running.stop().unwrap_err().to_string()).unwrap();
        running.stop_handle().request_stop();
        lines(bytes)
    });
    contexts.send(reading.running.clone()).unwrap();
    let error = errors.recv().unwrap();
    assert!(error.contains("stop_handle()"), "{error}");
    reading.running.await_termination().unwrap();
}

#[test]
fn a_converter_that_holds_the_context_last_ends_it() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (ssc, _clock) = streaming_context();
    let ((contexts, context), (sent, ended)) = (channel::<RunningContext>(), channel());
    let context = Mutex::new(context);
    ssc.socket_stream("127.0.0.1", listener.local_addr().unwrap().port(), move |bytes| {
        drop(context.lock().unwrap().recv().unwrap());
        sent.send(()).unwrap();
        lines(bytes)
    })
    .print();
    contexts.send(ssc.start().unwrap()).unwrap();
    let _peer = listener.accept().unwrap();
    ended.recv().unwrap();
    // The converter goes with the program when the receiver's thread has ended.
    assert!(ended.recv().is_err());
}

/// Many blocks: a batch has more records than one holds, and so several partitions.
#[test]
fn a_large_batch_keeps_its_order() {
    let reading = Reading::by(Conf::new(), |mut bytes| {
        std::iter::from_fn(move || {
            let mut number = [0; 4];
            Some(bytes.read_exact(&mut number).map(|()| u32::from_le_bytes(number)))
        })
    });
    let mut peer = reading.accept();
    let sent: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    peer.write_all(&sent).unwrap();
    assert!(reading.numbers(200_000).into_iter().eq(0..200_000));
}
