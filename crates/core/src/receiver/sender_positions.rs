//! [`SenderPositions`]: up to which message each sender's are stored, so that what is sent again is known.
//!
//! ```text
//! positions = (id_bytes:u8 id sequence:u64)*
//! ```
//! The sender that was heard of last stands last. Numbers are little-endian.

use crate::{Error, ErrorKind, Result};
use std::collections::VecDeque;

/// Senders that are remembered at most. Who comes back behind so many others is not known any more, and what it sends
/// again is stored again.
pub const SENDERS_MAX: usize = 256;

/// Senders and the numbers of their last stored messages.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct SenderPositions(VecDeque<(Box<[u8]>, u64)>);

impl SenderPositions {
    /// The last stored message of a sender; 0 if none is known.
    pub(super) fn position(&self, sender: &[u8]) -> u64 {
        self.0.iter().find(|(id, _)| **id == *sender).map_or(0, |(_, sequence)| *sequence)
    }
    /// Messages up to `sequence` are stored.
    pub(super) fn advance(&mut self, sender: &[u8], sequence: u64) {
        let sequence = sequence.max(self.position(sender));
        self.0.retain(|(id, _)| **id != *sender);
        if self.0.len() == SENDERS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((sender.into(), sequence));
    }
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, sequence) in &self.0 {
            bytes.push(u8::try_from(id.len()).expect("ids are short"));
            bytes.extend(&**id);
            bytes.extend(sequence.to_le_bytes());
        }
        bytes
    }
    /// Advances to what these bytes say.
    pub(super) fn apply(&mut self, mut bytes: &[u8]) -> Result<()> {
        while let Some((length, rest)) = bytes.split_first() {
            let parts = rest.split_at_checked((*length).into());
            let parts = parts.and_then(|(id, rest)| Some((id, rest.split_first_chunk::<8>()?)));
            let Some((id, (sequence, rest))) = parts else {
                return Err(Error::new(ErrorKind::Data, "stored positions of senders end within one"));
            };
            self.advance(id, u64::from_le_bytes(*sequence));
            bytes = rest;
        }
        Ok(())
    }
}

/// What one block says of its sender: positions with one of them.
pub(super) fn note(sender: &[u8], sequence: u64) -> Vec<u8> {
    let mut positions = SenderPositions::default();
    positions.advance(sender, sequence);
    positions.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_still_read_and_half_of_them_is_an_error() {
        let mut positions = SenderPositions::default();
        positions.advance(b"a", 3);
        positions.advance(b"bc", 1);
        positions.advance(b"a", 2);
        let bytes = [2, b'b', b'c', 1, 0, 0, 0, 0, 0, 0, 0, 1, b'a', 3, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(positions.to_bytes(), bytes);
        let mut read = SenderPositions::default();
        read.apply(&bytes).unwrap();
        assert_eq!(read, positions);
        assert_eq!([read.position(b"a"), read.position(b"bc"), read.position(b"b")], [3, 1, 0]);
        assert!((1..bytes.len()).filter(|length| *length != 11).all(|length| read.apply(&bytes[..length]).is_err()));
    }

    #[test]
    fn the_sender_that_was_silent_longest_is_forgotten() {
        let mut positions = SenderPositions::default();
        (0..SENDERS_MAX).for_each(|sender| positions.advance(&[sender as u8], 1));
        positions.advance(&[0], 2);
        positions.advance(b"another", 1);
        assert_eq!([positions.position(&[0]), positions.position(&[1]), positions.position(&[2])], [2, 0, 1]);
    }
}
