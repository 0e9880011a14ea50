//! [`Settings`]: the limits of a database's connections, with their defaults.

use std::time::Duration;

/// What holds for all sinks of a database.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Connections at the same time, at most.
    pub(crate) connections_max: u32,
    /// How long to wait for a connection.
    pub(crate) connect_timeout: Duration,
    /// How long a commit may take.
    pub(crate) commit_timeout: Duration,
    /// The table with the newest batch of each output.
    pub(crate) ledger: String,
    /// The pages that a SQLite file may have, if that is limited.
    #[cfg(feature = "sqlite")]
    pub(crate) sqlite_pages_max: Option<u32>,
}
impl Default for Settings {
    fn default() -> Self {
        Settings {
            connections_max: 2,
            connect_timeout: Duration::from_secs(10),
            commit_timeout: Duration::from_secs(60),
            ledger: "headwater_ledger".to_owned(),
            #[cfg(feature = "sqlite")]
            sqlite_pages_max: None,
        }
    }
}
