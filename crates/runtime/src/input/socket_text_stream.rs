//! `socket_text_stream`: lines from a TCP connection, received on a thread of its own into blocks.

use super::receiver_thread::StopSignal;
use super::socket_receiver::{Address, Intake, SocketSource, closed};
use crate::context::StreamingContext;
use headwater_core::Error;
use headwater_core::dstream::DStream;
use headwater_core::env::Connection;
use headwater_core::input::Unprocessed;
use headwater_core::rdd::text_blocks;
use headwater_core::receiver::TextReceiverStore;
use headwater_core::text::Text;
use headwater_core::time::Time;
use std::io::ErrorKind;
use std::sync::Arc;

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
        let address = Address::new(self, "socket_text_stream", host, port);
        let context = self.context().clone();
        let store = TextReceiverStore::new(format!("socket {address}"), &context, self.conf.store_limits());
        let intake = Arc::new(Lines(store));
        let source = SocketSource::new(self, "socket_text_stream", address, intake.clone());
        DStream::from_input(&self.graph, "socket_text_stream", Arc::new(source), move |time| {
            Ok(Some(text_blocks(&context, intake.0.blocks_of_batch(time))))
        })
    }
}

struct Lines(TextReceiverStore);

impl Intake for Lines {
    fn receive(&self, mut connection: Box<dyn Connection>, address: &Address, signal: &StopSignal) -> (bool, Error) {
        let mut received = false;
        let mut bytes = vec![0; READ_BYTES];
        let ended = loop {
            match connection.reader().read(&mut bytes) {
                Ok(0) => break closed(address),
                Ok(read) => {
                    received = true;
                    if !self.0.store(&bytes[..read], &|| signal.is_stopped()) {
                        break closed(address);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Error::outside(format!("error receiving from {address}"), error),
            }
        };
        // A line that our own stop has cut off is no record.
        if !signal.is_stopped() {
            self.0.end_of_stream();
        }
        (received, ended)
    }
    fn allocate(&self, time: Time) {
        self.0.allocate(time);
    }
    fn records_of_batch(&self, time: Time) -> u64 {
        self.0.lines_of_batch(time)
    }
    fn has_unallocated(&self) -> bool {
        self.0.has_unallocated()
    }
    fn unprocessed(&self) -> Unprocessed {
        Unprocessed::new(self.0.unprocessed(), "bytes")
    }
    fn processed(&self, time: Time) {
        self.0.processed(time);
    }
}
