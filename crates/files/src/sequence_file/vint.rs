//! Hadoop's variable-length integers (`WritableUtils.writeVLong`): one byte for -112 to 127, else a byte that says sign
//! and length and up to eight bytes, the highest first.

/// The longest form.
pub(super) const BYTES_MAX: usize = 9;

/// Appends the shortest form of `value`.
pub(super) fn write(value: i64, out: &mut Vec<u8>) {
    if (-112..=127).contains(&value) {
        return out.push(value as u8);
    }
    // Of a negative number the complement is written, so that small ones stay short.
    let (magnitude, base) = if value < 0 { (!value, -120i8) } else { (value, -112) };
    let length = 8 - magnitude.leading_zeros() as usize / 8;
    out.push((base - length as i8) as u8);
    out.extend_from_slice(&magnitude.to_be_bytes()[8 - length..]);
}

/// How many bytes a number takes that begins with `first`.
pub(super) fn length(first: u8) -> usize {
    match first as i8 {
        -112.. => 1,
        first @ -120..-112 => (-111 - i32::from(first)) as usize,
        first => (-119 - i32::from(first)) as usize,
    }
}

/// The number that is written in `bytes`, which are as long as its first byte says.
pub(super) fn decode(bytes: &[u8]) -> i64 {
    if bytes.len() == 1 {
        return i64::from(bytes[0] as i8);
    }
    let magnitude = bytes[1..].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte)) as i64;
    if (bytes[0] as i8) < -120 { !magnitude } else { magnitude }
}

/// Takes a number off the front of `bytes`; `None` if they end before it does.
pub(super) fn take(bytes: &mut &[u8]) -> Option<i64> {
    let (number, rest) = bytes.split_at_checked(length(*bytes.first()?))?;
    *bytes = rest;
    Some(decode(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        write(value, &mut out);
        out
    }

    #[test]
    fn numbers_have_hadoops_bytes() {
        assert_eq!(written(0), [0]);
        assert_eq!(written(127), [127]);
        assert_eq!(written(-112), [0x90]);
        assert_eq!(written(128), [0x8f, 0x80]);
        assert_eq!(written(-113), [0x87, 0x70]);
        assert_eq!(written(300), [0x8e, 1, 0x2c]);
        assert_eq!(written(i64::MAX), [0x88, 0x7f, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(written(i64::MIN), [0x80, 0x7f, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn what_is_cut_off_is_no_number() {
        assert_eq!(take(&mut &[][..]), None);
        assert_eq!(take(&mut &[0x8e, 1][..]), None);
    }

    proptest! {
        #[test]
        fn numbers_come_back(value: i64, shift in 0u32..64, behind: u8) {
            let value = value >> shift;
            let mut bytes = written(value);
            prop_assert_eq!(bytes.len(), length(bytes[0]));
            prop_assert!(bytes.len() <= BYTES_MAX);
            bytes.push(behind);
            let mut rest = &bytes[..];
            prop_assert_eq!(take(&mut rest), Some(value));
            prop_assert_eq!(rest, [behind]);
        }
    }
}
