//! [`Inbox`]: the receiver's side of one connection.

use super::{GREETING_BYTES, MESSAGE_BYTES_MAX, MESSAGE_HEAD_BYTES, check_greeting, checksum, greeting, wrong};
use crate::Result;

/// Turns what a sender has sent into messages. An error means that the connection is of no more use.
///
/// ```
/// use headwater::receiver::reliable::{Inbox, Outbox};
/// let (mut outbox, mut inbox) = (Outbox::new(b"sender 1")?, Inbox::default());
/// outbox.push(b"to be")?;
/// outbox.connected();
/// outbox.take_in(&Inbox::greeting())?;
/// inbox.take_in(&outbox.to_send());
/// assert_eq!(inbox.sender()?, Some(&b"sender 1"[..]));
/// outbox.take_in(&Inbox::acknowledgement(0))?;
/// inbox.take_in(&outbox.to_send());
/// assert_eq!(inbox.next_message()?, Some((1, &b"to be"[..])));
/// outbox.take_in(&Inbox::acknowledgement(1))?;
/// assert_eq!(outbox.unacknowledged(), 0);
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// How many of them are read.
    read: usize,
    sender: Option<Box<[u8]>>,
}

impl Inbox {
    /// What the receiver sends first.
    pub fn greeting() -> Vec<u8> {
        greeting().to_vec()
    }
    /// What it sends when the messages up to this one are stored; and, behind the sender's id, the position.
    pub fn acknowledgement(sequence: u64) -> [u8; 8] {
        sequence.to_le_bytes()
    }
    /// Takes over what was received. It holds at most that, and the beginning of one message.
    pub fn take_in(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.read));
        self.bytes.extend_from_slice(bytes);
    }
    /// The sender's id, once it has come.
    pub fn sender(&mut self) -> Result<Option<&[u8]>> {
        if self.sender.is_none() {
            let Some((greeting, rest)) = self.bytes.split_first_chunk::<GREETING_BYTES>() else { return Ok(None) };
            check_greeting(greeting, "sender")?;
            let Some((length, rest)) = rest.split_first() else { return Ok(None) };
            if *length == 0 {
                return Err(wrong("the sender has no id"));
            }
            let Some(id) = rest.get(..usize::from(*length)) else { return Ok(None) };
            self.sender = Some(id.into());
            self.read = GREETING_BYTES + 1 + id.len();
        }
        Ok(self.sender.as_deref())
    }
    /// The next message that has come whole, and its number. Behind the id.
    pub fn next_message(&mut self) -> Result<Option<(u64, &[u8])>> {
        let rest = &self.bytes[self.read..];
        let Some((head, rest)) = rest.split_first_chunk::<MESSAGE_HEAD_BYTES>() else { return Ok(None) };
        let sequence = u64::from_le_bytes(head[..8].try_into().expect("eight of them"));
        let length = u32::from_le_bytes(head[8..12].try_into().expect("four of them")) as usize;
        let sum = u32::from_le_bytes(head[12..].try_into().expect("four of them"));
        if length > MESSAGE_BYTES_MAX {
            return Err(wrong(format!("message {sequence} has {length} bytes, {MESSAGE_BYTES_MAX} are the limit")));
        }
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        if sum != checksum(sequence, payload) || sequence == 0 {
            return Err(wrong(format!("message {sequence} has a wrong checksum")));
        }
        self.read += MESSAGE_HEAD_BYTES + length;
        Ok(Some((sequence, payload)))
    }
}
