//! The ranges of a batch as bytes, which a journal keeps and gives back after a restart.

use super::OffsetRange;
use crate::{Error, ErrorKind, Result};

/// The version of the bytes: the first of them. Behind it is the number of ranges, then one after the other.
const VERSION: u8 = 1;
const HEAD: usize = 1 + 4;

pub(super) fn to_bytes(ranges: &[OffsetRange]) -> Vec<u8> {
    let count = u32::try_from(ranges.len()).expect("partitions are limited");
    let mut bytes = Vec::with_capacity(HEAD + ranges.len() * OffsetRange::BYTES);
    bytes.push(VERSION);
    bytes.extend(count.to_le_bytes());
    ranges.iter().for_each(|range| bytes.extend(range.to_bytes()));
    bytes
}

/// The ranges that the journal of a checkpoint folder has of a batch of a direct stream, in the order of their partitions.
/// An error says what else the bytes are.
///
/// ```
/// use headwater_core::direct::{OffsetRange, read_allocation};
/// let range = OffsetRange { partition: 3, from: 10, until: 15 };
/// let bytes = [&[1, 1, 0, 0, 0][..], &range.to_bytes()].concat();
/// assert_eq!(read_allocation(&bytes)?, [range]);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<OffsetRange>> {
    let damaged = |what: String| Error::new(ErrorKind::Data, format!("no allocation of ranges: {what}"));
    let (Some((head, ranges)), Some(version)) = (bytes.split_at_checked(HEAD), bytes.first()) else {
        return Err(damaged(format!("{} bytes are too few", bytes.len())));
    };
    if *version != VERSION {
        return Err(damaged(format!("version {version}; this program reads {VERSION}, a newer one may read it")));
    }
    let count = u32::from_le_bytes(head[1..].try_into().expect("four of them")) as usize;
    if count.checked_mul(OffsetRange::BYTES) != Some(ranges.len()) {
        return Err(damaged(format!("{} bytes are not {count} ranges", ranges.len())));
    }
    let ranges = ranges.chunks_exact(OffsetRange::BYTES).map(OffsetRange::from_bytes).collect::<Result<Vec<_>>>()?;
    match ranges.windows(2).find(|pair| pair[0].partition >= pair[1].partition) {
        Some(pair) => Err(damaged(format!("{} stands before {}", pair[0], pair[1]))),
        None => Ok(ranges),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(partition: u32, from: u64, until: u64) -> OffsetRange {
        OffsetRange { partition, from, until }
    }

    #[test]
    fn the_bytes_of_version_1_still_read() {
        assert_eq!(to_bytes(&[]), [1, 0, 0, 0, 0]);
        let ranges = [range(0, 1, 2), range(9, 5, 5)];
        let bytes = [
            1, 2, 0, 0, 0, // two ranges
            1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, //
            1, 9, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(to_bytes(&ranges), bytes);
        assert_eq!(from_bytes(&bytes).unwrap(), ranges);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        let good = to_bytes(&[range(0, 1, 2), range(1, 1, 2)]);
        let cases = [
            (good[..4].to_vec(), "4 bytes are too few"),
            (good[..good.len() - 1].to_vec(), "41 bytes are not 2 ranges"),
            ([&[3], &good[1..]].concat(), "version 3; this program reads 1"),
            (to_bytes(&[range(1, 0, 0), range(1, 0, 0)]), "partition 1, offsets 0..0 stands before partition 1"),
            (to_bytes(&[range(1, 3, 2)]), "ends before it begins"),
        ];
        for (bytes, reason) in cases {
            let error = from_bytes(&bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(ranges) = from_bytes(&bytes) {
                prop_assert_eq!(to_bytes(&ranges), bytes);
            }
        }
    }
}
