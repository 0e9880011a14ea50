//! [`Failure`]: how the program ends when it does not end well.

use headwater::{Error, ErrorKind};
use std::io;

/// Something is damaged.
pub(crate) const DAMAGED: u8 = 1;
/// It cannot be done.
pub(crate) const REFUSED: u8 = 2;

/// It would change something and was not told to.
pub(crate) const NEEDS_YES: u8 = 3;

/// An exit code and what to say.
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: Option<String>,
}

impl Failure {
    pub(crate) fn refused(message: impl Into<String>) -> Failure {
        Failure { code: REFUSED, message: Some(message.into()) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = if error.kind() == ErrorKind::Data { DAMAGED } else { REFUSED };
        Failure { code, message: Some(error.to_string()) }
    }
}

/// Of the output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            // Who reads it has enough: `headwater ... | head`.
            io::ErrorKind::BrokenPipe => Failure { code: 0, message: None },
            _ => Failure::refused(format!("cannot write the output: {error}")),
        }
    }
}
