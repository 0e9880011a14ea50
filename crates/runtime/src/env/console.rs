//! Standard output for `print()`; warnings go to the program's `tracing` subscriber, or to standard error without one.

use headwater_core::env::Console;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) struct SystemConsole;

impl Console for SystemConsole {
    /// A closed pipe (`program | head`) is no reason to stop a stream: what cannot be shown is dropped.
    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
    fn warn(&self, message: &str) {
        if tracing::dispatcher::has_been_set() {
            // The subscriber is the program's: its panic must not end the thread that warns.
            let _warned = catch_unwind(AssertUnwindSafe(|| tracing::warn!(target: "headwater", "{message}")));
        } else {
            // A closed or full standard error must not end the thread that warns.
            let _closed = writeln!(std::io::stderr(), "WARN headwater: {message}");
        }
    }
}
