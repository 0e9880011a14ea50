//! [`Prepared`]: what a task says of the files that it has written, on its way to the driver as bytes.

use headwater_core::{Error, ErrorKind, Result};

/// An attempt's folder, which holds the file of its partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Prepared {
    pub(crate) records: u64,
    pub(crate) folder: String,
}

impl Prepared {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        format!("{} {}", self.records, self.folder).into_bytes()
    }
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Prepared> {
        let read = || {
            let (records, folder) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
            Some(Prepared { records: records.parse().ok()?, folder: folder.to_owned() })
        };
        let none = || Error::new(ErrorKind::Internal, "a task returned something that is no prepared file");
        read().ok_or_else(none)
    }
    /// All partitions of a batch, in their order.
    pub(crate) fn all(parts: &[Vec<u8>]) -> Result<Vec<Prepared>> {
        parts.iter().map(|part| Prepared::from_bytes(part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_whatever_the_name_of_the_folder() {
        for folder in ["out/_headwater/a b", "", "ü \n"] {
            let prepared = Prepared { records: 7, folder: folder.to_owned() };
            assert_eq!(Prepared::from_bytes(&prepared.to_bytes()).unwrap(), prepared);
        }
        let wrong: [&[u8]; 4] = [b"", b"7", b"x folder", b"\xff 7"];
        assert!(wrong.iter().all(|bytes| Prepared::from_bytes(bytes).is_err()));
    }
}
