//! The user's part of an action that runs on the caller's thread: joining what the tasks have returned.

use crate::origin::Origin;
use crate::{Error, ErrorKind, Result, panic_message};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic becomes an error that names the operation, as it does in a task.
pub(super) fn on_driver<R>(origin: Origin, body: impl FnOnce() -> R) -> Result<R> {
    catch_unwind(AssertUnwindSafe(body))
        .map_err(|panic| Error::new(ErrorKind::Data, format!("{origin} panicked: {}", panic_message(&*panic))))
}
