//! Grep on the engine: `filter(|line| line.contains(needle))`, `count`, on `local` threads.

use crate::measure::Contender;
use std::sync::Arc;

/// Its result is the number of lines that contain `needle`.
pub(crate) fn ours(_text: &Arc<Vec<u8>>, _needle: &str, _local: usize) -> Option<Contender<'static>> {
    None
}
