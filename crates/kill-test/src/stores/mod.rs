//! The sinks and what they hold, one file each.

mod files;

use crate::options::{ApplicationOptions, Sink};
use crate::row::Row;
use headwater::prelude::*;

/// Ends `rows` in the sink.
pub(crate) fn write(rows: &DStream<Row>, options: &ApplicationOptions) -> headwater::Result<()> {
    match options.what.sink {
        Sink::Files => files::write(rows, &options.dir),
    }
}

/// Where the rows lie, with the server that it takes.
pub(crate) trait Store {
    /// What the application is told of the server.
    fn server(&self) -> String {
        String::new()
    }
    /// All rows that a reader sees.
    fn rows(&self) -> Result<Vec<Row>, String>;
    /// Kills the server and starts it again.
    fn kill_server(&self) -> Result<(), String> {
        Err("this sink has no server".to_owned())
    }
}

pub(crate) fn open(sink: Sink, dir: &str) -> Result<Box<dyn Store>, String> {
    match sink {
        Sink::Files => Ok(Box::new(files::Files::new(dir))),
    }
}
