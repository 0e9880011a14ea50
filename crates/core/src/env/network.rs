//! [`Network`]: outgoing connections of receivers.

use crate::Result;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// An open connection to read from.
pub trait Connection: Send {
    /// Its bytes; 0 means that the peer closed it.
    fn reader(&mut self) -> &mut dyn Read;
    /// Closes it from another thread, so that a blocked read returns.
    fn closer(&self) -> Arc<dyn Fn() + Send + Sync>;
}

/// Opens connections.
pub trait Network: Send + Sync {
    /// Connects to `host:port`, giving up after `timeout`; the error names host and port and what was wrong.
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<Box<dyn Connection>>;
}
