//! [`Header`]: what stands before the records of a segment; see [`super`] for its bytes.

use crate::format::{self, NAME_BYTES_MAX, Wrong};

const MAGIC: &[u8; 8] = b"HWLOGSEG";
pub(super) const VERSION: u16 = 1;
/// All of it but the name.
const FIXED_BYTES: usize = format::PREAMBLE_BYTES + 4 * 8 + 1 + 4;
/// No header is longer.
pub(super) const HEADER_BYTES_MAX: usize = FIXED_BYTES + NAME_BYTES_MAX;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// The number in the file's name.
    pub(super) segment: u64,
    /// Of the process that made the segment. It alone writes to it.
    pub(super) epoch: u64,
    /// Where the valid part of the segment before this ends.
    pub(super) previous_end: u64,
    /// The size of a segment that was written at once; 0 of one that grows.
    pub(super) whole: u64,
    /// The application's.
    pub(super) name: String,
}

impl Header {
    /// How many bytes it has.
    pub(super) fn length(&self) -> u64 {
        (FIXED_BYTES + self.name.len()) as u64
    }
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = format::preamble(MAGIC, VERSION);
        for number in [self.segment, self.epoch, self.previous_end, self.whole] {
            bytes.extend(number.to_le_bytes());
        }
        format::push_name(&mut bytes, &self.name);
        format::seal(&mut bytes);
        bytes
    }
    /// Reads the header at the beginning of `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Header, Wrong> {
        const DAMAGED: Wrong = Wrong::Damaged("its header has a wrong checksum");
        let mut fields = format::behind_preamble(bytes, MAGIC, VERSION)?;
        let mut read = || {
            let mut number = || fields.u64();
            let (segment, epoch, previous_end, whole) = (number()?, number()?, number()?, number()?);
            Some(Header { segment, epoch, previous_end, whole, name: fields.name()? })
        };
        let header = read().ok_or(DAMAGED)?;
        let is_sealed = bytes.get(..header.length() as usize).is_some_and(format::is_sealed);
        if is_sealed { Ok(header) } else { Err(DAMAGED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_is_found() {
        let header = Header { segment: 7, epoch: 2, previous_end: 99, whole: 0, name: "counts".to_owned() };
        let mut bytes = header.encode();
        assert_eq!(bytes.len() as u64, header.length());
        assert_eq!(Header::decode(&[&bytes[..], b"more"].concat()).unwrap(), header);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Header::decode(&bytes), Err(Wrong::Damaged(_))), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(Header::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
    }
}
