//! [`Piece`]: letters of one partition as a record of the log.
//!
//! ```text
//! piece  = 1 first:u64 counted:u32 batch:i64 partition:u32 length:u16 operator count:u32 letter*
//! letter = offset:u32 index:u64 attempt:u32 source length:u32 error length:u32 payload      numbers are little-endian
//! source = 0 | (1 | 2 offset:u64) partition:u32 from:u64 until:u64 length:u16 input
//! ```
//! The letter at `offset` has the number `first + offset`. When a piece is written the first time, it has all letters from
//! `first` on; `counted` says how many those were.

use headwater_core::dead_letters::{DeadLetter, Letter, LetterSource};
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
        for (offset, Letter { index, attempt, error, source, payload }) in &self.letters {
            out.extend_from_slice(&offset.to_le_bytes());
            out.extend_from_slice(&index.to_le_bytes());
            out.extend_from_slice(&attempt.to_le_bytes());
            write_source(source.as_ref(), &mut out);
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
        let source = read_source(&mut fields)?;
        let length = u32::from_le_bytes(fields.array()?);
        let error = str::from_utf8(fields.bytes(length as usize)?).ok()?.to_owned();
        let length = u32::from_le_bytes(fields.array()?);
        let payload = fields.bytes(length as usize)?.to_vec();
        Some((offset, Letter { index, attempt, error, source, payload }))
    });
    let letters = letters.collect::<Option<Vec<_>>>()?;
    Some(Piece { first, counted, batch, partition, operator, letters })
}

fn write_source(source: Option<&LetterSource>, out: &mut Vec<u8>) {
    let Some(LetterSource { input, partition, from, until, offset }) = source else { return out.push(0) };
    out.push(if offset.is_some() { 2 } else { 1 });
    out.extend(offset.iter().flat_map(|offset| offset.to_le_bytes()));
    out.extend_from_slice(&partition.to_le_bytes());
    out.extend_from_slice(&from.to_le_bytes());
    out.extend_from_slice(&until.to_le_bytes());
    let length = u16::try_from(input.len()).expect("an operator's id is checked at the start");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(input.as_bytes());
}
fn read_source(fields: &mut Fields<'_>) -> Option<Option<LetterSource>> {
    let offset = match fields.array::<1>()? {
        [0] => return Some(None),
        [1] => None,
        [2] => Some(u64::from_le_bytes(fields.array()?)),
        _ => return None,
    };
    let partition = u32::from_le_bytes(fields.array()?);
    let from = u64::from_le_bytes(fields.array()?);
    let until = u64::from_le_bytes(fields.array()?);
    let length = u16::from_le_bytes(fields.array()?);
    let input = str::from_utf8(fields.bytes(usize::from(length))?).ok()?.to_owned();
    Some(Some(LetterSource { input, partition, from, until, offset }))
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
        let source = |offset| LetterSource { input: "lines".to_owned(), partition: 3, from: 5, until: 9, offset };
        let letter = |n: u8, source| {
            let (error, payload) = ("no number".to_owned(), vec![n; 3]);
            Letter { index: 7, attempt: 2, error, source, payload }
        };
        let piece = Piece {
            first: 40,
            counted: 5,
            batch: Time::from_millis(-3),
            partition: 9,
            operator: "parse".to_owned(),
            letters: vec![
                (1, letter(1, None)),
                (3, letter(2, Some(source(None)))),
                (4, letter(3, Some(source(Some(6))))),
            ],
        };
        let bytes = piece.encode();
        assert_eq!(Piece::decode(&bytes).unwrap(), piece);
        for end in 0..bytes.len() {
            assert_eq!(Piece::decode(&bytes[..end]).unwrap_err().kind(), ErrorKind::Data);
        }
        assert_eq!(Piece::decode(&[2]).unwrap_err().kind(), ErrorKind::Program);
        assert_eq!(piece.into_letters().map(|letter| letter.number).collect::<Vec<_>>(), [41, 43, 44]);
    }
}
