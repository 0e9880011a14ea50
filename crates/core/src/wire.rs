//! Records as bytes on their way between processes of one application. All of them run the same program, so the bytes
//! carry no version and no names; what is kept for a later program has formats of its own.

use crate::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::type_name;

/// The value as bytes. An error names the type, and what its `Serialize` says.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|error| cannot::<T>("be written as bytes", error))
}

/// The value that [`encode`] made the bytes of. An error names the type.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|error| cannot::<T>("be read back from its bytes", error))
}

/// An error on its way between processes: its kind and its whole text.
#[derive(Serialize, Deserialize)]
pub struct WireError(u8, String);

/// In the order of their numbers on the wire.
const KINDS: [ErrorKind; 7] = [
    ErrorKind::Program,
    ErrorKind::Data,
    ErrorKind::Outside,
    ErrorKind::Resources,
    ErrorKind::Cancelled,
    ErrorKind::Fenced,
    ErrorKind::Internal,
];

impl From<&Error> for WireError {
    fn from(error: &Error) -> WireError {
        let number = KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or(KINDS.len() - 1);
        WireError(number as u8, error.to_string())
    }
}
impl From<WireError> for Error {
    fn from(WireError(number, message): WireError) -> Error {
        Error::new(KINDS.get(usize::from(number)).copied().unwrap_or(ErrorKind::Internal), message)
    }
}

fn cannot<T: ?Sized>(what: &str, error: postcard::Error) -> Error {
    let message = format!(
        "a `{}` cannot {what}: its Serialize and Deserialize must agree in a format without field names (no `untagged`, \
         `flatten`, `skip_serializing_if` or `deserialize_any`), and all processes must run the same program",
        type_name::<T>()
    );
    Error::new(ErrorKind::Program, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back() {
        let value = vec![(1u64, Some("text".to_owned())), (2, None)];
        assert_eq!(decode::<Vec<(u64, Option<String>)>>(&encode(&value).unwrap()).unwrap(), value);
    }

    #[test]
    fn a_type_that_does_not_come_back_is_named() {
        let error = decode::<(u64, String)>(&[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains("(u64, alloc::string::String)"), "{error}");
    }
}
