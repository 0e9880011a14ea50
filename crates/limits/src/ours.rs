//! The engine's side, one file to a measure. Each function prepares what a running application has at hand, and returns
//! the work to be measured; `None` means that it is not written yet, and its column stays empty.

pub(crate) mod chain;
pub(crate) mod grep;
pub(crate) mod idle;
pub(crate) mod shuffle;
pub(crate) mod start_up;
pub(crate) mod word_count;
