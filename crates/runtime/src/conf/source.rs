//! [`ConfSource`]: where a setting comes from, which says how strong it is.

use std::fmt;

/// Where the value of a setting comes from, from weak to strong: a stronger source replaces a weaker one's value,
/// whichever came first. Displays as what to look for: `app.toml:3`, `environment variable HEADWATER_MASTER`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConfSource {
    /// Nothing sets it.
    Default,
    /// A line of a file.
    File {
        /// The file, as it was named.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A call of [`Conf::set`](crate::Conf::set) or of a method for one setting.
    Code {
        /// The source file of the call.
        file: &'static str,
        /// Its line.
        line: u32,
    },
}

impl ConfSource {
    #[track_caller]
    pub(super) fn code() -> ConfSource {
        let caller = std::panic::Location::caller();
        ConfSource::Code { file: caller.file(), line: caller.line() }
    }
    pub(super) fn strength(&self) -> u8 {
        match self {
            ConfSource::Default => 0,
            ConfSource::File { .. } => 1,
            ConfSource::Environment { .. } => 2,
            ConfSource::Code { .. } => 3,
        }
    }
}

impl fmt::Display for ConfSource {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ConfSource::Default => f.write_str("default"),
            ConfSource::File { path, line } => write!(f, "{path}:{line}"),
            ConfSource::Environment { variable } => write!(f, "environment variable {variable}"),
            ConfSource::Code { file, line } => write!(f, "code at {file}:{line}"),
        }
    }
}
