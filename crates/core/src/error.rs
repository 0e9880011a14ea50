//! [`Error`]: the one error type, sorted by whose fault it is, so that a caller knows what to do with it.

use std::any::Any;
use std::fmt;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is, and so what helps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The program asks for something that cannot be: mend the program or its settings.
    Program,
    /// The user's code failed on a record, or a record does not read: mend the data or the closure.
    Data,
    /// A file, socket or peer failed: it may work when tried again.
    Outside,
    /// A named limit was reached: raise it or send less.
    Resources,
    /// The work was given up because the context stops.
    Cancelled,
    /// Another process has taken over what this one wrote to: stop, and leave everything as it is.
    Fenced,
    /// A defect of Headwater.
    Internal,
}

impl ErrorKind {
    fn label(self) -> &'static str {
        match self {
            ErrorKind::Program => "invalid program",
            ErrorKind::Data => "job failed",
            ErrorKind::Outside => "outside world",
            ErrorKind::Resources => "limit reached",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Fenced => "taken over",
            ErrorKind::Internal => "internal error",
        }
    }
}

/// What went wrong: a kind, a sentence that names the thing and the value, and the cause below it.
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` is lower-case, names the thing and the value, and hints at the fix.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }
    /// An error that the program's author mends.
    pub fn program(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Program, message)
    }
    /// An error of a file, socket or peer.
    pub fn outside(message: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::new(ErrorKind::Outside, message).because(source)
    }
    /// The same error with its cause.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }
    /// The same error, seen from further out: `message` goes before it.
    pub fn within(self, message: impl fmt::Display) -> Error {
        Error { message: format!("{message}: {}", self.message), ..self }
    }
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}
/// What `fn main() -> headwater::Result<()>` prints: the sentence, not the fields.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {self}", self.kind.label())
    }
}
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// The sentence in a caught panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}
