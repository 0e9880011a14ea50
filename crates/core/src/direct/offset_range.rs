//! [`OffsetRange`]: the records of one partition of a source that one batch has, and its bytes in a journal.

use super::PartitionOffsets;
use crate::{Error, ErrorKind, Result};
use std::fmt;

/// The records of `partition` whose offsets lie from `from`, included, to `until`, excluded. Not every offset needs to
/// have a record. Source: Spark's `OffsetRange`.
///
/// ```
/// use headwater_core::direct::OffsetRange;
/// let range = OffsetRange { partition: 3, from: 10, until: 15 };
/// assert_eq!((range.len(), range.to_string()), (5, "partition 3, offsets 10..15".to_string()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OffsetRange {
    /// The source's number of the partition.
    pub partition: u32,
    /// The first offset.
    pub from: u64,
    /// The offset behind the last one.
    pub until: u64,
}

/// The version of the bytes: the first of them.
const VERSION: u8 = 1;

impl OffsetRange {
    /// How many bytes [`OffsetRange::to_bytes`] gives.
    pub(super) const BYTES: usize = 1 + 4 + 8 + 8;

    /// How many offsets it spans: as many records, or more where offsets have gaps.
    pub fn len(&self) -> u64 {
        self.until.saturating_sub(self.from)
    }
    /// Whether it spans none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The range as bytes that every later version reads: a version, then the fields, little-endian.
    ///
    /// ```
    /// use headwater_core::direct::OffsetRange;
    /// let range = OffsetRange { partition: 3, from: 10, until: 15 };
    /// assert_eq!(OffsetRange::from_bytes(&range.to_bytes())?, range);
    /// assert!(OffsetRange::from_bytes(&range.to_bytes()[1..]).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(OffsetRange::BYTES);
        bytes.push(VERSION);
        bytes.extend(self.partition.to_le_bytes());
        bytes.extend(self.from.to_le_bytes());
        bytes.extend(self.until.to_le_bytes());
        bytes
    }

    /// The range of these bytes. An error for others, also for those of a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<OffsetRange> {
        let damaged = |what: String| Error::new(ErrorKind::Data, format!("no offset range: {what}"));
        match bytes.first() {
            Some(&VERSION) => {}
            Some(version) => {
                return Err(damaged(format!(
                    "version {version}; this program reads {VERSION}, a newer one may read it"
                )));
            }
            None => return Err(damaged("no bytes".to_owned())),
        }
        let fields: &[u8; OffsetRange::BYTES] = bytes
            .try_into()
            .map_err(|_| damaged(format!("{} bytes instead of {}", bytes.len(), OffsetRange::BYTES)))?;
        let number = |at: usize| u64::from_le_bytes(fields[at..at + 8].try_into().expect("eight of them"));
        let partition = u32::from_le_bytes(fields[1..5].try_into().expect("four of them"));
        let range = OffsetRange { partition, from: number(5), until: number(13) };
        if range.from > range.until {
            return Err(damaged(format!("{range} ends before it begins")));
        }
        Ok(range)
    }

    /// Whether `source` still has the whole range, of which `held` says what there is. For [`DirectSource::read`]: an
    /// error, that names the partition, the offsets and what is there, is the way to say that it has not.
    ///
    /// ```
    /// use headwater_core::direct::{OffsetRange, PartitionOffsets};
    /// let held = PartitionOffsets { partition: 3, oldest: 12, end: 20 };
    /// assert!(OffsetRange { partition: 3, from: 12, until: 15 }.check_held("orders", &held).is_ok());
    /// let error = OffsetRange { partition: 3, from: 10, until: 15 }.check_held("orders", &held).unwrap_err();
    /// assert!(error.to_string().starts_with("partition 3, offsets 10..15 of orders are no longer retained"));
    /// ```
    ///
    /// [`DirectSource::read`]: super::DirectSource::read
    pub fn check_held(&self, source: &str, held: &PartitionOffsets) -> Result<()> {
        let PartitionOffsets { oldest, end, .. } = held;
        let lost = |why: &str| Err(Error::new(ErrorKind::Data, format!("{self} of {source} {why}")));
        if self.is_empty() {
            Ok(())
        } else if self.from < *oldest {
            lost(&format!(
                "are no longer retained: the partition holds {oldest}..{end}; let the source keep records for longer than \
                 batches wait"
            ))
        } else if self.until > *end {
            lost(&format!("are not there: the partition holds {oldest}..{end}; was it emptied or made anew?"))
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for OffsetRange {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "partition {}, offsets {}..{}", self.partition, self.from, self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_1_still_read() {
        let range = OffsetRange { partition: 258, from: 3, until: u64::MAX };
        let bytes = [1, 2, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(range.to_bytes(), bytes);
        assert_eq!(OffsetRange::from_bytes(&bytes).unwrap(), range);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        let good = OffsetRange { partition: 0, from: 0, until: 1 }.to_bytes();
        let reversed = OffsetRange { partition: 7, from: 2, until: 1 }.to_bytes();
        let later = [&[2], &good[1..]].concat();
        let cases = [
            (&[][..], "no bytes"),
            (&good[..20], "20 bytes instead of 21"),
            (&later, "version 2; this program reads 1"),
            (&reversed, "partition 7, offsets 2..1 ends before it begins"),
        ];
        for (bytes, reason) in cases {
            let error = OffsetRange::from_bytes(bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_range_is_held_whole_or_not() {
        let held = PartitionOffsets { partition: 0, oldest: 5, end: 9 };
        let check = |from, until| OffsetRange { partition: 0, from, until }.check_held("x", &held);
        assert!(check(5, 9).is_ok() && check(0, 0).is_ok());
        assert!(check(4, 9).unwrap_err().to_string().contains("no longer retained: the partition holds 5..9"));
        assert!(check(5, 10).unwrap_err().to_string().contains("are not there: the partition holds 5..9"));
    }
}
