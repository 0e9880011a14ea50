//! `socket_text_stream`: lines from a TCP connection, received on a thread of its own into blocks.

use super::receiver_thread::{ReceiverThread, StopSignal};
use crate::conf::keys;
use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::env::{Connection, Env};
use headwater_core::input::InputDStream;
use headwater_core::rdd::text_blocks;
use headwater_core::receiver::TextReceiverStore;
use headwater_core::text::Text;
use headwater_core::time::Time;
use headwater_core::{Error, Result};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// The wait before a new attempt to connect doubles with each one up to this, or stays as it is if set above it.
const BACK_OFF_MAX: Duration = Duration::from_secs(8);
/// Bytes asked of the socket at a time.
const READ_BYTES: usize = 256 << 10;

impl StreamingContext {
    /// Lines of text from a server at `host:port`, to which this connects. Lines end with `\n` or `\r\n`; bytes that
    /// are not UTF-8 become U+FFFD, with a warning. A partition is one or more blocks of up to 8 MiB.
    ///
    /// A server that does not answer, or closes the connection, is a warning that names it; the connection is tried
    /// again after 250 ms, doubling up to 8 s, for as long as the context runs
    /// ([`Conf::receiver_restart_delay`](crate::Conf::receiver_restart_delay),
    /// [`Conf::connect_timeout`](crate::Conf::connect_timeout)). What the server sent before stays.
    /// Limits: [`Conf::line_bytes_max`](crate::Conf::line_bytes_max),
    /// [`Conf::buffered_bytes_max`](crate::Conf::buffered_bytes_max). An empty host or port 0 fails the start. There
    /// is no protocol to ask for lines again: after a crash, those that were received and not processed are lost.
    /// Source: Spark's `socketTextStream`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use std::io::Write;
    /// let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// let (ssc, clock) = testkit::streaming_context();
    /// let lines = ssc.socket_text_stream("127.0.0.1", server.local_addr().unwrap().port());
    /// let (sent, received) = std::sync::mpsc::channel();
    /// lines.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// server.accept().unwrap().0.write_all(b"to be\nor not").unwrap();
    /// let mut lines = Vec::new();
    /// while lines.len() < 2 {
    ///     clock.advance(Duration::from_secs(1));
    ///     lines.extend(received.recv().unwrap());
    /// }
    /// assert_eq!(lines, ["to be", "or not"]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn socket_text_stream(&self, host: &str, port: u16) -> DStream<Text> {
        if host.is_empty() || port == 0 {
            self.graph.refuse(Error::program(format!(
                "socket_text_stream({host:?}, {port}): it needs a host name or address and a port from 1 to 65535"
            )));
        }
        let (env, context) = (self.context().env().clone(), self.context().clone());
        let address = Address { host: host.to_owned(), port };
        let store = TextReceiverStore::new(format!("socket {address}"), &context, self.conf.store_limits());
        let source = Arc::new(SocketSource {
            address,
            env: env.clone(),
            store: Arc::new(store),
            connect_timeout: self.conf.duration(&keys::CONNECT_TIMEOUT),
            restart_delay: self.conf.duration(&keys::RECEIVER_RESTART_DELAY),
            thread: ReceiverThread::new(env),
        });
        let store = source.store.clone();
        DStream::from_input(&self.graph, "socket_text_stream", source, move |time| {
            Ok(Some(text_blocks(&context, store.blocks_of_batch(time))))
        })
    }
}

#[derive(Clone)]
struct Address {
    host: String,
    port: u16,
}
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

struct SocketSource {
    address: Address,
    env: Env,
    store: Arc<TextReceiverStore>,
    connect_timeout: Duration,
    restart_delay: Duration,
    thread: ReceiverThread,
}

impl InputDStream for SocketSource {
    fn start(&self) -> Result<()> {
        let receiver = Receiver {
            address: self.address.clone(),
            env: self.env.clone(),
            store: self.store.clone(),
            connect_timeout: self.connect_timeout,
            restart_delay: self.restart_delay,
        };
        self.thread.start(&format!("socket-receiver-{}", self.address), move |signal| receiver.run(signal))
    }
    fn allocate(&self, time: Time) -> Result<()> {
        self.store.allocate(time);
        Ok(())
    }
    fn has_unallocated(&self) -> bool {
        self.store.has_unallocated()
    }
    fn processed(&self, time: Time) {
        self.store.processed(time);
    }
    fn stop(&self) {
        self.thread.stop();
    }
}

/// The thread's side.
struct Receiver {
    address: Address,
    env: Env,
    store: Arc<TextReceiverStore>,
    connect_timeout: Duration,
    restart_delay: Duration,
}

impl Receiver {
    fn run(&self, signal: &StopSignal) {
        let mut back_off = self.restart_delay;
        while !signal.is_stopped() {
            let ended = match self.env.network.connect(&self.address.host, self.address.port, self.connect_timeout) {
                Ok(connection) => {
                    let (received, ended) = self.receive(connection, signal);
                    if received {
                        back_off = self.restart_delay;
                    }
                    ended
                }
                Err(error) => error,
            };
            if !signal.is_stopped() {
                let again = self.env.clock.now() + back_off;
                self.env.console.warn(&format!("socket_text_stream: {ended}; trying again in {back_off:?}"));
                signal.pause_until(again);
                back_off = (2 * back_off).min(BACK_OFF_MAX.max(self.restart_delay));
            }
        }
    }

    /// Reads until the connection ends; whether anything came, and how it ended.
    fn receive(&self, mut connection: Box<dyn Connection>, signal: &StopSignal) -> (bool, Error) {
        let closed =
            || Error::new(headwater_core::ErrorKind::Outside, format!("{} closed the connection", self.address));
        let mut received = false;
        let mut bytes = vec![0; READ_BYTES];
        if !signal.closes_by(connection.closer()) {
            return (received, closed());
        }
        let ended = loop {
            match connection.reader().read(&mut bytes) {
                Ok(0) => break closed(),
                Ok(read) => {
                    received = true;
                    if !self.store.store(&bytes[..read], &|| signal.is_stopped()) {
                        break closed();
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Error::outside(format!("error receiving from {}", self.address), error),
            }
        };
        signal.closed();
        // A line that our own stop has cut off is no record.
        if !signal.is_stopped() {
            self.store.end_of_stream();
        }
        (received, ended)
    }
}
