//! What all our files begin with, and numbers in them: little-endian, checksums are CRC-32C.
//!
//! ```text
//! preamble = magic:[u8; 8] version:u16 checksum
//! ```
//! The preamble stays as it is in every version, so that a damaged version is not taken for a newer one.

use headwater_core::{Error, ErrorKind};

/// Bytes of the preamble.
pub(crate) const PREAMBLE_BYTES: usize = 14;
/// The longest name of an application that files hold.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// The beginning of a file.
pub(crate) fn preamble(magic: &[u8; 8], version: u16) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend(version.to_le_bytes());
    seal(&mut bytes);
    bytes
}

/// Appends the checksum of all that is there.
pub(crate) fn seal(bytes: &mut Vec<u8>) {
    let checksum = crc32c::crc32c(bytes);
    bytes.extend(checksum.to_le_bytes());
}

/// Why the beginning of a file is not as it should be.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// It was never or is no longer a file of this kind; says what is wrong.
    Damaged(&'static str),
    /// It has a version that this release does not know.
    Version(u16),
}

/// What stands behind the preamble.
pub(crate) fn behind_preamble<'a>(bytes: &'a [u8], magic: &[u8; 8], version: u16) -> Result<Fields<'a>, Wrong> {
    let Some((preamble, rest)) = bytes.split_at_checked(PREAMBLE_BYTES) else {
        return Err(Wrong::Damaged("it ends within its first bytes"));
    };
    if !is_sealed(preamble) || &preamble[..8] != magic {
        return Err(Wrong::Damaged("its first bytes are not those of such a file"));
    }
    match u16::from_le_bytes([preamble[8], preamble[9]]) {
        found if found == version => Ok(Fields(rest)),
        found => Err(Wrong::Version(found)),
    }
}

/// Whether the bytes end in their checksum.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.split_last_chunk().is_some_and(|(bytes, sum)| u32::from_le_bytes(*sum) == crc32c::crc32c(bytes))
}

/// The error of a file of another version.
pub(crate) fn other_version(path: &str, found: u16, known: u16) -> Error {
    let release = if found > known { "a newer" } else { "an older" };
    Error::program(format!(
        "{path} was written by {release} release of Headwater (format {found}; this one reads format {known}): run that \
         release, or begin in an empty folder"
    ))
}

/// The error of a file of another application.
pub(crate) fn other_application(path: &str, found: &str, expected: &str) -> Error {
    Error::program(format!(
        "{path} belongs to the application `{found}`, not to `{expected}`: give each application a folder of its own"
    ))
}

/// An error if the name does not fit into files.
pub(crate) fn check_name(name: &str) -> headwater_core::Result<()> {
    if name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    let message =
        format!("the application's name has {} bytes; a log takes {NAME_BYTES_MAX} at most: {name}", name.len());
    Err(Error::new(ErrorKind::Program, message))
}

/// Reads numbers one after the other; `None` behind the end.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.bytes(4)?.try_into().ok().map(u32::from_le_bytes)
    }
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.bytes(8)?.try_into().ok().map(u64::from_le_bytes)
    }
    /// A length in one byte and as much text. What is no text was damaged in a way the checksum does not see.
    pub(crate) fn name(&mut self) -> Option<String> {
        let length = self.u8()?.into();
        String::from_utf8(self.bytes(length)?.to_vec()).ok()
    }
}

/// Appends what [`Fields::name`] reads.
pub(crate) fn push_name(bytes: &mut Vec<u8>, name: &str) {
    bytes.push(name.len() as u8);
    bytes.extend(name.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_version_is_no_newer_one() {
        let mut bytes = preamble(b"HWTEST\r\n", 3);
        bytes.extend(9u64.to_le_bytes());
        assert_eq!(behind_preamble(&bytes, b"HWTEST\r\n", 3).unwrap().u64(), Some(9));
        assert!(matches!(behind_preamble(&bytes, b"HWTEST\r\n", 2), Err(Wrong::Version(3))));
        assert!(matches!(behind_preamble(&bytes, b"HWOTHER\n", 3), Err(Wrong::Damaged(_))));
        for at in 0..PREAMBLE_BYTES {
            bytes[at] ^= 1;
            assert!(matches!(behind_preamble(&bytes, b"HWTEST\r\n", 3), Err(Wrong::Damaged(_))), "byte {at}");
            assert!(matches!(behind_preamble(&bytes[..at], b"HWTEST\r\n", 3), Err(Wrong::Damaged(_))), "cut at {at}");
            bytes[at] ^= 1;
        }
    }
}
