//! [`Outbox`]: the sender's side, over all its connections.

use super::{GREETING_BYTES, MESSAGE_BYTES_MAX, MESSAGE_HEAD_BYTES, check_greeting, checksum, greeting, wrong};
use crate::{Error, ErrorKind, Result};
use std::collections::VecDeque;

/// Bytes of messages that are not acknowledged at most; behind them [`Outbox::push`] is an error.
pub const OUTBOX_BYTES_MAX: usize = 64 << 20;

/// Bytes that [`Outbox::to_send`] returns at a time, beside the last message's.
const SEND_BYTES: usize = 256 << 10;

/// The messages of a sender that are not acknowledged, and the bytes to be sent over the connection that there is.
pub struct Outbox {
    id: Box<[u8]>,
    /// With their numbers, without gaps.
    messages: VecDeque<(u64, Vec<u8>)>,
    bytes: usize,
    /// The number of the message that was pushed last.
    newest: u64,
    connection: Connection,
}
/// How far the connection is.
enum Connection {
    /// There is none.
    None,
    /// The greeting and the id are to be sent.
    New(Vec<u8>),
    /// They are, and the receiver's greeting and position are to come.
    Greeted(Vec<u8>),
    /// Messages from `next` on are to be sent; `received` is the beginning of an acknowledgement.
    Open { next: u64, received: Vec<u8> },
}

impl Outbox {
    /// Of the sender called `id`, from 1 to 255 bytes, which no other sender has. A sender that does not know any more
    /// which numbers it has used takes another id.
    pub fn new(id: &[u8]) -> Result<Outbox> {
        if id.is_empty() || id.len() > 255 {
            return Err(Error::program(format!("a sender's id has from 1 to 255 bytes, and not {}", id.len())));
        }
        let (messages, connection) = (VecDeque::new(), Connection::None);
        Ok(Outbox { id: id.into(), messages, bytes: 0, newest: 0, connection })
    }
    /// Appends a message of up to [`MESSAGE_BYTES_MAX`] bytes; its number. An error of the kind `Resources` where it, or
    /// what is not acknowledged, is too much.
    pub fn push(&mut self, payload: &[u8]) -> Result<u64> {
        let full = |message: String| Err(Error::new(ErrorKind::Resources, message));
        if payload.len() > MESSAGE_BYTES_MAX {
            let bytes = payload.len();
            return full(format!("a message has {bytes} bytes, {MESSAGE_BYTES_MAX} are the limit"));
        }
        if self.bytes + payload.len() > OUTBOX_BYTES_MAX {
            let bytes = self.bytes;
            return full(format!("{bytes} bytes are not acknowledged, {OUTBOX_BYTES_MAX} are the limit"));
        }
        self.newest += 1;
        self.bytes += payload.len();
        self.messages.push_back((self.newest, payload.to_vec()));
        Ok(self.newest)
    }
    /// How many messages are not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.messages.len()
    }
    /// There is a new connection: what was not acknowledged is sent again.
    pub fn connected(&mut self) {
        self.connection = Connection::New(Vec::new());
    }
    /// What is to be sent now; nothing until more was pushed, or taken in.
    pub fn to_send(&mut self) -> Vec<u8> {
        match &mut self.connection {
            Connection::None | Connection::Greeted(_) => Vec::new(),
            Connection::New(received) => {
                let mut bytes = greeting().to_vec();
                bytes.push(self.id.len() as u8);
                bytes.extend(&self.id);
                self.connection = Connection::Greeted(std::mem::take(received));
                self.read();
                bytes
            }
            Connection::Open { next, .. } => {
                let mut bytes = Vec::new();
                let unsent = self.messages.partition_point(|(sequence, _)| sequence < next);
                for (sequence, payload) in self.messages.range(unsent..) {
                    if bytes.len() >= SEND_BYTES {
                        break;
                    }
                    bytes.reserve(MESSAGE_HEAD_BYTES + payload.len());
                    bytes.extend(sequence.to_le_bytes());
                    bytes.extend((payload.len() as u32).to_le_bytes());
                    bytes.extend(checksum(*sequence, payload).to_le_bytes());
                    bytes.extend(payload);
                    *next = sequence + 1;
                }
                bytes
            }
        }
    }
    /// Takes over what the receiver has sent: messages that it acknowledges go. An error means that the connection is of
    /// no more use.
    pub fn take_in(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.connection {
            Connection::None => return Ok(()),
            Connection::New(received) | Connection::Greeted(received) | Connection::Open { received, .. } => {
                received.extend_from_slice(bytes);
            }
        }
        let read = self.read_checked();
        if read.is_err() {
            self.connection = Connection::None;
        }
        read
    }

    fn read(&mut self) {
        if self.read_checked().is_err() {
            self.connection = Connection::None;
        }
    }
    fn read_checked(&mut self) -> Result<()> {
        if let Connection::Greeted(received) = &mut self.connection {
            let Some((greeting, rest)) = received.split_first_chunk::<GREETING_BYTES>() else { return Ok(()) };
            check_greeting(greeting, "receiver")?;
            let Some((position, rest)) = rest.split_first_chunk() else { return Ok(()) };
            let (position, received) = (u64::from_le_bytes(*position), rest.to_vec());
            if position > self.newest {
                let (id, newest) = (String::from_utf8_lossy(&self.id), self.newest);
                return Err(wrong(format!(
                    "the receiver has messages of `{id}` up to {position}, and this sender has sent {newest}: one that \
                     lost its numbers needs another id"
                )));
            }
            self.acknowledged(position);
            self.connection = Connection::Open { next: position + 1, received };
        }
        let mut acknowledged = None;
        if let Connection::Open { received, .. } = &mut self.connection {
            let whole = received.len() / 8 * 8;
            let acks = received[..whole].chunks_exact(8);
            acknowledged = acks.last().map(|ack| u64::from_le_bytes(ack.try_into().expect("eight of them")));
            received.drain(..whole);
        }
        acknowledged.into_iter().for_each(|sequence| self.acknowledged(sequence));
        Ok(())
    }
    fn acknowledged(&mut self, sequence: u64) {
        while let Some((_, payload)) = self.messages.pop_front_if(|(number, _)| *number <= sequence) {
            self.bytes -= payload.len();
        }
    }
}
