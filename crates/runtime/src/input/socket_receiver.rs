//! [`SocketSource`]: a receiver over TCP. It connects, lets an [`Intake`] take in the connection, and connects again
//! when that ends, for as long as the context runs.

use super::receiver_thread::{ReceiverThread, StopSignal};
use crate::conf::keys;
use crate::context::StreamingContext;
use crate::write_ahead_logs::WriteAheadLogs;
use headwater_core::env::{Connection, Env};
use headwater_core::input::{InputDStream, InputFolder, InputHost, Unprocessed};
use headwater_core::listener::{ReceiverInfo, StreamId, StreamInputInfo, StreamingEvent};
use headwater_core::receiver::ReceiverStore;
use headwater_core::time::Time;
use headwater_core::{Error, Result};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The wait before a new attempt to connect doubles with each one up to this, or stays as it is if set above it.
const BACK_OFF_MAX: Duration = Duration::from_secs(8);

/// How a receiver connects.
#[derive(Clone, Copy)]
struct Connecting {
    timeout: Duration,
    /// The wait before the first new attempt.
    restart_delay: Duration,
}

/// Makes records out of connections and keeps them for their batches.
pub(super) trait Intake: Send + Sync + 'static {
    /// Takes in a connection to `address` until it ends or `signal` stops; whether anything came, and how it ended.
    fn receive(&self, connection: Box<dyn Connection>, address: &Address, signal: &StopSignal) -> (bool, Error);
    /// Where they are.
    fn store(&self) -> &dyn ReceiverStore;
}

/// A peer, as the program names it.
#[derive(Clone)]
pub(super) struct Address {
    host: String,
    port: u16,
}
impl Address {
    /// Of the input `operation`. One that cannot be fails the start.
    pub(super) fn new(ssc: &StreamingContext, operation: &str, host: &str, port: u16) -> Address {
        if host.is_empty() || port == 0 {
            ssc.graph.refuse(Error::program(format!(
                "{operation}({host:?}, {port}): it needs a host name or address and a port from 1 to 65535"
            )));
        }
        Address { host: host.to_owned(), port }
    }
}
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

pub(super) struct SocketSource<I> {
    /// What warnings call it.
    operation: &'static str,
    address: Address,
    env: Env,
    intake: Arc<I>,
    connecting: Connecting,
    /// None where there shall be no log.
    logs: Option<WriteAheadLogs>,
    thread: ReceiverThread,
}

impl<I: Intake> SocketSource<I> {
    pub(super) fn new(
        ssc: &StreamingContext,
        operation: &'static str,
        address: Address,
        intake: Arc<I>,
    ) -> SocketSource<I> {
        let (timeout, restart_delay) = (&keys::CONNECT_TIMEOUT, &keys::RECEIVER_RESTART_DELAY);
        let connecting =
            Connecting { timeout: ssc.conf.duration(timeout), restart_delay: ssc.conf.duration(restart_delay) };
        let env = ssc.context().env().clone();
        let logs = ssc.conf.flag(&keys::WRITE_AHEAD_LOG).then(|| ssc.logs.clone());
        let thread = ReceiverThread::new(env.clone());
        SocketSource { operation, address, env, intake, connecting, logs, thread }
    }
}

impl<I: Intake> InputDStream for SocketSource<I> {
    fn keep_in(&self, folder: InputFolder) -> Result<()> {
        if let Some(logs) = &self.logs {
            self.intake.store().keep_in(logs.open(folder)?);
        }
        Ok(())
    }
    fn restore(&self, time: Time, allocation: &[u8]) -> Result<()> {
        self.intake.store().restore(time, allocation)
    }
    fn start(&self, stream: StreamId, host: Arc<dyn InputHost>) -> Result<()> {
        self.intake.store().start(host.clone())?;
        let (operation, address) = (self.operation, self.address.clone());
        let (env, intake, connecting) = (self.env.clone(), self.intake.clone(), self.connecting);
        let receiver = Receiver { operation, address, env, intake, connecting, stream, host };
        self.thread.start(&format!("socket-receiver-{}", self.address), move |signal| receiver.run(signal))
    }
    fn allocate(&self, time: Time) -> Result<()> {
        self.intake.store().allocate(time);
        Ok(())
    }
    fn allocation(&self, time: Time) -> Option<Vec<u8>> {
        self.intake.store().allocation(time)
    }
    fn info(&self, stream: StreamId, time: Time) -> Option<StreamInputInfo> {
        let records = self.intake.store().records_of_batch(time);
        Some(StreamInputInfo::new(stream, records).with_description(self.address.to_string()))
    }
    fn has_unallocated(&self) -> bool {
        self.intake.store().has_unallocated()
    }
    fn processed(&self, time: Time) {
        self.intake.store().processed(time);
    }
    fn request_stop(&self) {
        self.thread.request_stop();
    }
    fn is_receiving(&self) -> bool {
        self.thread.runs()
    }
    fn unprocessed(&self) -> Option<Unprocessed> {
        Some(self.intake.store().unprocessed())
    }
    fn stop(&self) {
        self.thread.stop();
    }
}

/// The thread's side.
struct Receiver<I> {
    operation: &'static str,
    address: Address,
    env: Env,
    intake: Arc<I>,
    connecting: Connecting,
    stream: StreamId,
    host: Arc<dyn InputHost>,
}

impl<I: Intake> Receiver<I> {
    fn run(&self, signal: &StopSignal) {
        self.host.claim_thread();
        let mut info = ReceiverInfo::new(self.stream, "SocketReceiver");
        let mut back_off = self.connecting.restart_delay;
        while !signal.is_stopped() {
            let ended = match self.env.network.connect(&self.address.host, self.address.port, self.connecting.timeout) {
                Ok(connection) => {
                    info.started();
                    self.host.post(StreamingEvent::ReceiverStarted(info.clone()));
                    let (received, ended) = self.receive(connection, signal);
                    if received {
                        back_off = self.connecting.restart_delay;
                    }
                    ended
                }
                Err(error) => error,
            };
            if !signal.is_stopped() {
                let now = self.env.clock.now();
                self.env.console.warn(&format!("{}: {ended}; trying again in {back_off:?}", self.operation));
                info.failed(&ended, now);
                self.host.post(StreamingEvent::ReceiverError(info.clone()));
                signal.pause_until(now + back_off);
                back_off = (2 * back_off).min(BACK_OFF_MAX.max(self.connecting.restart_delay));
            }
        }
        info.active = false;
        self.host.post(StreamingEvent::ReceiverStopped(info));
    }

    fn receive(&self, connection: Box<dyn Connection>, signal: &StopSignal) -> (bool, Error) {
        let close = connection.closer();
        if !signal.closes_by(close.clone()) {
            return (false, closed(&self.address));
        }
        let ended = self.intake.receive(connection, &self.address, signal);
        signal.closed();
        // Whoever has kept the connection has it no longer.
        close();
        ended
    }
}

/// How a connection ends of itself.
pub(super) fn closed(address: &Address) -> Error {
    Error::new(headwater_core::ErrorKind::Outside, format!("{address} closed the connection"))
}
