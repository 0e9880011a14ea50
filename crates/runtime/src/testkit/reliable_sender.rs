//! [`ReliableSender`]: the other side of `reliable_socket_text_stream`, and the network to it, in memory.

use headwater_core::env::{Connection, Network};
use headwater_core::receiver::reliable::Outbox;
use headwater_core::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A sender that keeps its messages until they are acknowledged, and sends them again over every new connection. It is a
/// [`Network`] on which every address is its own, without sockets or threads; connections and acknowledgements get lost
/// when the test says so. Cloning copies the handle; a sender lives on when a program that receives from it ends.
///
/// ```
/// use headwater::testkit::ReliableSender;
/// let sender = ReliableSender::new("sender 1");
/// sender.send("to be")?;
/// assert_eq!(sender.unacknowledged(), 1);
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone)]
pub struct ReliableSender {
    shared: Arc<Shared>,
}
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}
struct State {
    outbox: Outbox,
    /// The number of the newest connection: older ones are closed.
    connection: u64,
    is_open: bool,
    /// Bytes on their way to the receiver.
    on_their_way: VecDeque<u8>,
    loses_acknowledgements: bool,
}

impl ReliableSender {
    /// A sender with this id, from 1 to 255 bytes.
    ///
    /// # Panics
    /// If the id is empty or longer.
    pub fn new(id: &str) -> ReliableSender {
        let outbox = Outbox::new(id.as_bytes()).expect("the test's id is an id");
        let state = State {
            outbox,
            connection: 0,
            is_open: false,
            on_their_way: VecDeque::new(),
            loses_acknowledgements: false,
        };
        ReliableSender { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }
    /// Sends a message of one or more lines, now or when there is a connection; its number. An error where too much is not
    /// acknowledged.
    pub fn send(&self, message: &str) -> Result<u64> {
        let number = self.lock().outbox.push(message.as_bytes());
        self.shared.changed.notify_all();
        number
    }
    /// How many messages are not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.lock().outbox.unacknowledged()
    }
    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.lock().connection
    }
    /// Waits until every message is acknowledged.
    pub fn await_acknowledged(&self) {
        self.await_state(|state| state.outbox.unacknowledged() == 0);
    }
    /// Waits until there were so many connections.
    pub fn await_connections(&self, count: u64) {
        self.await_state(|state| state.connection >= count);
    }
    /// Acknowledgements, but not positions, are lost from here on, or are not.
    pub fn lose_acknowledgements(&self, are_lost: bool) {
        self.lock().loses_acknowledgements = are_lost;
    }
    /// Closes the connection. The receiver makes a new one after its pause, by the clock.
    pub fn disconnect(&self) {
        self.lock().is_open = false;
        self.shared.changed.notify_all();
    }

    fn await_state(&self, reached: impl Fn(&State) -> bool) {
        let state = self.shared.changed.wait_while(self.lock(), |state| !reached(state));
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Network for ReliableSender {
    fn connect(&self, _host: &str, _port: u16, _timeout: Duration) -> Result<Box<dyn Connection>> {
        let mut state = self.lock();
        state.connection += 1;
        state.is_open = true;
        state.on_their_way.clear();
        state.outbox.connected();
        let end = End { sender: self.clone(), number: state.connection, written: 0 };
        drop(state);
        self.shared.changed.notify_all();
        Ok(Box::new(end))
    }
}

/// The receiver's end of a connection.
struct End {
    sender: ReliableSender,
    number: u64,
    /// How many bytes the receiver has written. The first ones, the greeting and the position, are never lost.
    written: usize,
}
/// Bytes of the receiver's greeting and position.
const POSITIONED_BYTES: usize = 18;

impl State {
    fn is_open(&self, number: u64) -> bool {
        self.is_open && self.connection == number
    }
}

impl Connection for End {
    fn reader(&mut self) -> &mut dyn Read {
        self
    }
    fn writer(&mut self) -> &mut dyn Write {
        self
    }
    fn closer(&self) -> Arc<dyn Fn() + Send + Sync> {
        let (sender, number) = (self.sender.clone(), self.number);
        Arc::new(move || {
            let mut state = sender.lock();
            if state.connection == number {
                state.is_open = false;
            }
            drop(state);
            sender.shared.changed.notify_all();
        })
    }
}
impl Read for End {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut state = self.sender.lock();
        loop {
            if !state.is_open(self.number) {
                return Ok(0);
            }
            let to_send = state.outbox.to_send();
            state.on_their_way.extend(to_send);
            if !state.on_their_way.is_empty() {
                return state.on_their_way.read(bytes);
            }
            state = self.sender.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sender = self.sender.clone();
        let mut state = sender.lock();
        if !state.is_open(self.number) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.written >= POSITIONED_BYTES && state.loses_acknowledgements {
            return Ok(bytes.len());
        }
        self.written += bytes.len();
        let taken = state.outbox.take_in(bytes);
        if taken.is_err() {
            state.is_open = false;
        }
        drop(state);
        self.sender.shared.changed.notify_all();
        let wrong =
            |error: Error| io::Error::other(Error::new(ErrorKind::Outside, "the sender hung up").because(error));
        taken.map(|()| bytes.len()).map_err(wrong)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
