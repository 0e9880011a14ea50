//! A small protocol by which a sender hears which of its messages are stored, and sends the others again: for
//! `reliable_socket_text_stream`. Both sides are here as machines that turn bytes into bytes; sockets are elsewhere.
//!
//! ```text
//! receiver: greeting position ack*        greeting = "HWRELIAB" version:u16
//! sender:   greeting id message*          id       = length:u8 bytes          (1 to 255 of them)
//!                                         position = sequence:u64
//!                                         ack      = sequence:u64
//!                                         message  = sequence:u64 length:u32 checksum:u32 payload
//! ```
//! The receiver connects, since it may run on any machine while the senders stay where they are. Numbers are
//! little-endian; `checksum` is the CRC-32C of the sequence, the length and the payload, and the version is 1.
//!
//! A sender numbers its messages 1, 2, 3, ... and keeps each until it is acknowledged; `id` is its own for as long as it
//! keeps these numbers, over connections and restarts. The receiver reads the id and answers with the `position`: the
//! last message of this id that it has stored, 0 if none. The sender goes on behind it. An `ack` says that all messages up
//! to its number are stored, durably if the application is; one may stand for many. What is sent again although it was
//! stored, since an acknowledgement was lost, is known by its number and dropped: positions are stored with the messages,
//! and so the receiver knows them after a restart too. It remembers the
//! [`SENDERS_MAX`](super::SENDERS_MAX) senders it heard of last.
//!
//! A payload is text, one or more lines, and stored whole or not at all.

mod inbox;
mod outbox;

pub use inbox::Inbox;
pub use outbox::{OUTBOX_BYTES_MAX, Outbox};

use crate::{Error, ErrorKind, Result};

/// Bytes of a message at most.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

const MAGIC: &[u8; 8] = b"HWRELIAB";
const VERSION: u16 = 1;
const GREETING_BYTES: usize = 8 + 2;
const MESSAGE_HEAD_BYTES: usize = 8 + 4 + 4;

fn greeting() -> [u8; GREETING_BYTES] {
    let mut bytes = [0; GREETING_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}
/// An error where the other side, `who`, speaks something else.
fn check_greeting(bytes: &[u8; GREETING_BYTES], who: &str) -> Result<()> {
    let version = u16::from_le_bytes([bytes[8], bytes[9]]);
    match &bytes[..8] == MAGIC {
        true if version == VERSION => Ok(()),
        true => Err(wrong(format!("the {who} speaks version {version} of the protocol, this side {VERSION}"))),
        false => Err(wrong(format!("the {who} does not speak the protocol of reliable streams"))),
    }
}
fn checksum(sequence: u64, payload: &[u8]) -> u32 {
    let head = crc32c::crc32c(&sequence.to_le_bytes());
    let head = crc32c::crc32c_append(head, &(payload.len() as u32).to_le_bytes());
    crc32c::crc32c_append(head, payload)
}
fn wrong(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Outside, what)
}

#[cfg(test)]
mod tests;
