//! [`Peer`]: a server in memory that sends bytes, for receivers without a protocol.

use headwater_core::Result;
use headwater_core::env::{Connection, Network};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A network on which everybody is this server; one connection at a time reads what it sends.
#[derive(Clone, Default)]
pub(super) struct Peer(Arc<(Mutex<State>, Condvar)>);
#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    connection: u64,
    is_open: bool,
    /// Whether the receiver waits for bytes.
    is_awaited: bool,
}

impl Peer {
    pub(super) fn send(&self, bytes: &[u8]) {
        self.0.0.lock().unwrap().bytes.extend(bytes);
        self.0.1.notify_all();
    }
    /// Waits until the receiver has read everything, and is back for more: then the lines are durable.
    pub(super) fn await_read(&self) {
        let read = |state: &mut State| !state.bytes.is_empty() || !state.is_awaited;
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), read).unwrap());
    }
}

impl State {
    fn is_waited_for(&self, connection: u64) -> bool {
        self.bytes.is_empty() && self.is_open && self.connection == connection
    }
}

impl Network for Peer {
    fn connect(&self, _host: &str, _port: u16, _timeout: Duration) -> Result<Box<dyn Connection>> {
        let mut state = self.0.0.lock().unwrap();
        state.connection += 1;
        state.is_open = true;
        Ok(Box::new(End { peer: self.clone(), number: state.connection }))
    }
}

struct End {
    peer: Peer,
    number: u64,
}
impl Connection for End {
    fn reader(&mut self) -> &mut dyn Read {
        self
    }
    fn writer(&mut self) -> &mut dyn Write {
        unreachable!("nobody writes to a peer without a protocol")
    }
    fn closer(&self) -> Arc<dyn Fn() + Send + Sync> {
        let (peer, number) = (self.peer.clone(), self.number);
        Arc::new(move || {
            let mut state = peer.0.0.lock().unwrap();
            state.is_open &= state.connection != number;
            peer.0.1.notify_all();
        })
    }
}
impl Read for End {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut state = self.peer.0.0.lock().unwrap();
        loop {
            if !state.is_open || state.connection != self.number {
                return Ok(0);
            }
            if !state.bytes.is_empty() {
                return state.bytes.read(bytes);
            }
            state.is_awaited = true;
            self.peer.0.1.notify_all();
            state = self.peer.0.1.wait_while(state, |state| state.is_waited_for(self.number)).unwrap();
            state.is_awaited = false;
        }
    }
}
