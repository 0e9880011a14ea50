//! gzip's frame (RFC 1952) around a deflate stream. The pure Rust backend of the deflate crate has it for whole streams
//! only, each with memory of its own.

use flate2::Crc;

/// Deflate, no flags, no time, system 0: what Hadoop's own compressor writes.
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];

const HEADER_CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// What stands behind the data: its checksum and its length.
pub(super) fn trailer(data: &[u8]) -> [u8; 8] {
    let mut crc = Crc::new();
    crc.update(data);
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc.sum().to_le_bytes());
    // The format has the length modulo 2^32.
    trailer[4..].copy_from_slice(&(data.len() as u32).to_le_bytes());
    trailer
}

/// Takes a header off the front of `input`, with whatever names it holds.
pub(super) fn skip_header(input: &mut &[u8]) -> Result<(), &'static str> {
    const ENDS: &str = "the gzip header ends early";
    let (header, mut rest) = input.split_at_checked(HEADER.len()).ok_or(ENDS)?;
    if header[..3] != HEADER[..3] {
        return Err("it does not begin with a gzip header");
    }
    let flags = header[3];
    if flags & 0xe0 != 0 {
        return Err("the gzip header has unknown flags");
    }
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_at_checked(2).ok_or(ENDS)?;
        rest = behind.get(usize::from(u16::from_le_bytes([length[0], length[1]]))..).ok_or(ENDS)?;
    }
    for _ in 0..(flags & (NAME | COMMENT)).count_ones() {
        let end = memchr::memchr(0, rest).ok_or(ENDS)?;
        rest = &rest[end + 1..];
    }
    if flags & HEADER_CHECKSUM != 0 {
        rest = rest.get(2..).ok_or(ENDS)?;
    }
    *input = rest;
    Ok(())
}

/// Takes the trailer off the front of `input` and compares it with what was decompressed.
pub(super) fn check_trailer(input: &mut &[u8], data: &[u8]) -> Result<(), &'static str> {
    let (found, rest) = input.split_at_checked(8).ok_or("the gzip trailer ends early")?;
    *input = rest;
    if found == trailer(data) { Ok(()) } else { Err("the gzip checksum or length is wrong") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_parts_are_skipped() {
        let parts = EXTRA | NAME | COMMENT | HEADER_CHECKSUM;
        let whole =
            [&[0x1f, 0x8b, 8, parts, 1, 2, 3, 4, 0, 3][..], b"\x02\0ab", b"name\0", b"comment\0", b"cc"].concat();
        let mut input = &[&whole[..], b"data"].concat()[..];
        skip_header(&mut input).unwrap();
        assert_eq!(input, b"data");
        for cut in 0..whole.len() {
            assert!(skip_header(&mut &whole[..cut]).is_err(), "cut off at {cut}");
        }
    }

    #[test]
    fn what_is_no_gzip_is_said() {
        assert_eq!(skip_header(&mut &b"x\x9c, and on and on"[..]), Err("it does not begin with a gzip header"));
        assert_eq!(
            skip_header(&mut &[0x1f, 0x8b, 8, 0x80, 0, 0, 0, 0, 0, 0][..]),
            Err("the gzip header has unknown flags")
        );
        assert!(check_trailer(&mut &trailer(b"data")[..], b"data").is_ok());
        assert!(check_trailer(&mut &trailer(b"data")[..], b"date").is_err());
    }
}
