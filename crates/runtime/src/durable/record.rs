//! A record of the logs and snapshots of states: whose a piece of state is, around the piece itself.
//!
//! ```text
//! record = 1 epoch:u64 time:i64 partition:u32 length:u16 operator piece      numbers are little-endian
//! ```

use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};

const FORMAT: u8 = 1;

/// A piece of the state of an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Record<'a> {
    /// Of the process that wrote it.
    pub(super) epoch: u64,
    /// The batch that changed the state so.
    pub(super) time: Time,
    pub(super) partition: u32,
    pub(super) operator: &'a str,
    pub(super) piece: &'a [u8],
}

impl<'a> Record<'a> {
    /// What stands before the piece.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(23 + self.operator.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.time.milliseconds().to_le_bytes());
        bytes.extend_from_slice(&self.partition.to_le_bytes());
        let length = u16::try_from(self.operator.len()).expect("an operator's id is checked at the start");
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(self.operator.as_bytes());
        bytes
    }
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Record<'a>> {
        match bytes.first() {
            Some(&FORMAT) | None => {}
            Some(format) => {
                return Err(Error::program(format!(
                    "a record of state was written in format {format} and this release reads format {FORMAT}: use the \
                     release that wrote it, or a newer one"
                )));
            }
        }
        let fields = || {
            let (_, rest) = bytes.split_first()?;
            let (epoch, rest) = rest.split_first_chunk()?;
            let (time, rest) = rest.split_first_chunk()?;
            let (partition, rest) = rest.split_first_chunk()?;
            let (length, rest) = rest.split_first_chunk()?;
            let (operator, piece) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            Some(Record {
                epoch: u64::from_le_bytes(*epoch),
                time: Time::from_millis(i64::from_le_bytes(*time)),
                partition: u32::from_le_bytes(*partition),
                operator: str::from_utf8(operator).ok()?,
                piece,
            })
        };
        fields().ok_or_else(|| Error::new(ErrorKind::Data, "a record of state is cut short"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let time = Time::from_millis(-5);
        let record = Record { epoch: 3, time, partition: 9, operator: "sums", piece: &[1, 2, 3] };
        let bytes = [&record.head(), record.piece].concat();
        assert_eq!(Record::decode(&bytes).unwrap(), record);
        assert_eq!(Record::decode(&bytes[..20]).unwrap_err().kind(), ErrorKind::Data);
        assert_eq!(Record::decode(&[2]).unwrap_err().kind(), ErrorKind::Program);
    }
}
