//! `reliable_socket_text_stream`: lines from a sender that sends again what was not acknowledged.

use super::receiver_thread::StopSignal;
use super::socket_receiver::{Address, Intake, SocketSource, closed};
use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::env::Connection;
use headwater_core::rdd::text_blocks;
use headwater_core::receiver::reliable::Inbox;
use headwater_core::receiver::{ReceiverStore, TextReceiverStore};
use headwater_core::text::Text;
use headwater_core::{Error, ErrorKind, Result};
use std::io;
use std::sync::Arc;

/// Bytes asked of the socket at a time. What has come by then is stored together, so this bounds what one sync is for.
const READ_BYTES: usize = 1 << 20;

impl StreamingContext {
    /// Lines of text from a sender at `host:port`, to which this connects as
    /// [`StreamingContext::socket_text_stream`] does, and that speaks the protocol of
    /// [`receiver::reliable`](headwater_core::receiver::reliable): its messages, each of one or more lines, are numbered,
    /// and acknowledged when they are stored. In a durable application that means: in a synced log. So what was
    /// acknowledged is never lost, what was not is sent again, and what is sent twice is stored once, also over restarts
    /// of either side. Messages that come while the log is being synced are synced together.
    ///
    /// While the log cannot be written, since the disk is full for example, nothing is acknowledged: that is an error of
    /// `await_termination`, told once, and it is tried again after 250 ms, doubling up to 8 s. The sender is held back
    /// also at [`Conf::buffered_bytes_max`](crate::Conf::buffered_bytes_max). A message has 4 MiB at most. Numbers that a
    /// known sender has left out are an error too, and the stream goes on behind them. In an application that is not
    /// durable messages are acknowledged once they are in memory. Source: Spark's reliable receivers.
    ///
    /// ```
    /// use headwater::{env::Env, prelude::*, testkit};
    /// let (env, sender) = (testkit::TestEnv::new(), testkit::ReliableSender::new("sender 1"));
    /// let network = std::sync::Arc::new(sender.clone());
    /// let conf = Conf::new().master("local[2]");
    /// let ssc = StreamingContext::with_env(conf, seconds(1), Env { network, ..env.env() })?;
    /// let (sent, received) = std::sync::mpsc::channel();
    /// let lines = ssc.reliable_socket_text_stream("sender", 9999);
    /// lines.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// sender.send("to be\nor")?;
    /// sender.send("not")?;
    /// let running = ssc.start()?;
    /// sender.await_acknowledged();
    /// env.clock.advance(seconds(1));
    /// assert_eq!(received.recv().unwrap(), ["to be", "or", "not"]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn reliable_socket_text_stream(&self, host: &str, port: u16) -> DStream<Text> {
        let operation = "reliable_socket_text_stream";
        let address = Address::new(self, operation, host, port);
        let context = self.context().clone();
        let store = TextReceiverStore::new(format!("sender {address}"), &context, self.conf.store_limits());
        let intake = Arc::new(Messages(store));
        let source = SocketSource::new(self, operation, address, intake.clone());
        DStream::from_input(&self.graph, operation, Arc::new(source), move |time| {
            Ok(Some(text_blocks(&context, intake.0.blocks_of_batch(time))))
        })
    }
}

struct Messages(TextReceiverStore);

impl Intake for Messages {
    fn receive(&self, mut connection: Box<dyn Connection>, address: &Address, signal: &StopSignal) -> (bool, Error) {
        let mut received = false;
        let ended = self.take_in(&mut *connection, address, signal, &mut received);
        (received, ended.err().unwrap_or_else(|| closed(address)))
    }
    fn store(&self) -> &dyn ReceiverStore {
        &self.0
    }
}

/// The messages of one read that are new.
#[derive(Default)]
struct Fresh {
    /// Whole lines.
    text: Vec<u8>,
    /// Whether there are messages, new or not.
    any: bool,
}

impl Messages {
    /// Until the peer, the stop, or an error ends it.
    fn take_in(
        &self,
        connection: &mut dyn Connection,
        address: &Address,
        signal: &StopSignal,
        received: &mut bool,
    ) -> Result<()> {
        let failed = |error: io::Error| Error::outside(format!("error talking to {address}"), error);
        let of_sender = |error: Error| error.within(address);
        let (mut inbox, mut bytes) = (Inbox::default(), vec![0; READ_BYTES]);
        connection.writer().write_all(&Inbox::greeting()).map_err(failed)?;
        let sender = loop {
            if let Some(sender) = inbox.sender().map_err(of_sender)? {
                break sender.to_vec();
            }
            let read = read(connection, &mut bytes).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            inbox.take_in(&bytes[..read]);
        };
        let mut position = self.0.position_of(&sender);
        connection.writer().write_all(&Inbox::acknowledgement(position)).map_err(failed)?;
        loop {
            let before = position;
            let fresh = self.fresh(&mut inbox, &mut position, &sender).map_err(of_sender)?;
            *received |= fresh.any;
            if position > before && !self.0.store_messages(&fresh.text, (&sender, position), &|| signal.is_stopped()) {
                // Not acknowledged: it is sent again, to this receiver or to the one that has taken over.
                return Err(Error::new(ErrorKind::Cancelled, format!("messages of {address} were not stored")));
            }
            if fresh.any {
                connection.writer().write_all(&Inbox::acknowledgement(position)).map_err(failed)?;
            }
            let read = read(connection, &mut bytes).map_err(failed)?;
            if read == 0 || signal.is_stopped() {
                return Ok(());
            }
            inbox.take_in(&bytes[..read]);
        }
    }
    /// The messages that have come and are not stored; `position` goes to the last of them.
    fn fresh(&self, inbox: &mut Inbox, position: &mut u64, sender: &[u8]) -> Result<Fresh> {
        let mut fresh = Fresh::default();
        while let Some((sequence, payload)) = inbox.next_message()? {
            fresh.any = true;
            if sequence <= *position {
                continue;
            }
            if *position > 0 && sequence > *position + 1 {
                let (sender, first, last) = (String::from_utf8_lossy(sender), *position + 1, sequence - 1);
                let message = format!("messages {first} to {last} of the sender `{sender}` never came");
                self.0.report(Error::new(ErrorKind::Outside, message));
            }
            *position = sequence;
            fresh.text.extend_from_slice(payload);
            if payload.last() != Some(&b'\n') {
                fresh.text.push(b'\n');
            }
        }
        Ok(fresh)
    }
}

fn read(connection: &mut dyn Connection, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        match connection.reader().read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
