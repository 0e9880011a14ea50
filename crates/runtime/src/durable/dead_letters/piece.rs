//! [`Piece`]: letters of one partition as a record of the log.
//!
//! ```text
//! piece  = 1 first:u64 counted:u32 batch:i64 partition:u32 length:u16 operator count:u32 letter*
//! letter = offset:u32 index:u64 attempt:u32 length:u32 error length:u32 payload      numbers are little-endian
//! ```
//! The letter at `offset` has the number `first + offset`. When a piece is written the first time, it has all letters from
//! `first` on; `counted` says how many those were.

use headwater_core::dead_letters::{DeadLetter, Letter};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};

const FORMAT: u8 = 1;

/// Letters of an operator's partition of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct Piece {
    pub(super) first: u64,
    pub(super) counted: u32,
    pub(super) batch: Time,
    pub(super) partition: u32,
    pub(super) operator: String,
    /// Each with its offset.
    pub(super) letters: Vec<(u32, Letter)>,
}

impl Piece {
    pub(super) fn encode(&self) -> Vec<u8> {
        let letters = self.letters.iter().map(|(_, letter)| letter.bytes()).sum::<u64>();
        let mut out = Vec::with_capacity(64 + self.operator.len() + letters as usize);
        out.push(FORMAT);
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.counted.to_le_bytes());
        out.extend_from_slice(&self.batch.milliseconds().to_le_bytes());
        out.extend_from_slice(&self.partition.to_le_bytes());
        let length = u16::try_from(self.operator.len()).expect("an operator's id is checked at the start");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(self.operator.as_bytes());
        out.extend_from_slice(&(self.letters.len() as u32).to_le_bytes());
        for (offset, Letter { index, attempt, error, payload }) in &self.letters {
            out.extend_from_slice(&offset.to_le_bytes());
            out.extend_from_slice(&index.to_le_bytes());
            out.extend_from_slice(&attempt.to_le_bytes());
            for bytes in [error.as_bytes(), payload] {
                out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
        out
    }
    pub(in super::super) fn decode(bytes: &[u8]) -> Result<Piece> {
        match bytes.first() {
            Some(&FORMAT) | None => {}
            Some(format) => {
                return Err(Error::program(format!(
                    "dead letters were written in format {format} and this release reads format {FORMAT}: use the release \
                     that wrote them, or a newer one"
                )));
            }
        }
        read(bytes).ok_or_else(|| Error::new(ErrorKind::Data, "a record of dead letters is cut short"))
    }
    /// The letters with all that is known of them.
    pub(in super::super) fn into_letters(self) -> impl Iterator<Item = DeadLetter> {
        let Piece { first, batch, partition, operator, letters, .. } = self;
        letters.into_iter().map(move |(offset, letter)| DeadLetter {
            number: first + u64::from(offset),
            operator: operator.clone(),
            batch,
            partition: partition as usize,
            letter,
        })
    }
}

fn read(bytes: &[u8]) -> Option<Piece> {
    let mut fields = Fields(bytes.get(1..)?);
    let first = u64::from_le_bytes(fields.array()?);
    let counted = u32::from_le_bytes(fields.array()?);
    let batch = Time::from_millis(i64::from_le_bytes(fields.array()?));
    let partition = u32::from_le_bytes(fields.array()?);
    let length = u16::from_le_bytes(fields.array()?);
    let operator = str::from_utf8(fields.bytes(usize::from(length))?).ok()?.to_owned();
    let count = u32::from_le_bytes(fields.array()?);
    let letters = (0..count).map(|_| {
        let offset = u32::from_le_bytes(fields.array()?);
        let index = u64::from_le_bytes(fields.array()?);
        let attempt = u32::from_le_bytes(fields.array()?);
        let length = u32::from_le_bytes(fields.array()?);
        let error = str::from_utf8(fields.bytes(length as usize)?).ok()?.to_owned();
        let length = u32::from_le_bytes(fields.array()?);
        let payload = fields.bytes(length as usize)?.to_vec();
        Some((offset, Letter { index, attempt, error, payload }))
    });
    let letters = letters.collect::<Option<Vec<_>>>()?;
    Some(Piece { first, counted, batch, partition, operator, letters })
}

/// What is yet to be read.
struct Fields<'a>(&'a [u8]);
impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_reads_back() {
        let letter = |n: u8| Letter { index: 7, attempt: 2, error: "no number".to_owned(), payload: vec![n; 3] };
        let piece = Piece {
            first: 40,
            counted: 5,
            batch: Time::from_millis(-3),
            partition: 9,
            operator: "parse".to_owned(),
            letters: vec![(1, letter(1)), (4, letter(2))],
        };
        let bytes = piece.encode();
        assert_eq!(Piece::decode(&bytes).unwrap(), piece);
        for end in 0..bytes.len() {
            assert_eq!(Piece::decode(&bytes[..end]).unwrap_err().kind(), ErrorKind::Data);
        }
        assert_eq!(Piece::decode(&[2]).unwrap_err().kind(), ErrorKind::Program);
        assert_eq!(piece.into_letters().map(|letter| letter.number).collect::<Vec<_>>(), [41, 44]);
    }
}
