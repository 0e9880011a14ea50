//! [`Network`]: connections that receivers open.

use crate::Result;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// An open connection.
pub trait Connection: Send {
    /// Its bytes; 0 means that the peer closed it.
    fn reader(&mut self) -> &mut dyn Read;
    /// Takes bytes for the peer; what was written is on its way.
    fn writer(&mut self) -> &mut dyn Write;
    /// Closes it from another thread, so that a blocked read returns.
    fn closer(&self) -> Arc<dyn Fn() + Send + Sync>;
}

/// Opens connections.
pub trait Network: Send + Sync {
    /// Connects to `host:port`, giving up after `timeout`; the error names host and port and what was wrong.
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<Box<dyn Connection>>;
}
