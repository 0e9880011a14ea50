//! The engine's side, one file to a measure. Each function prepares what a running application has at hand, and returns
//! the work to be measured.

pub(crate) mod chain;
mod context;
pub(crate) mod grep;
pub(crate) mod idle;
pub(crate) mod shuffle;
pub(crate) mod start_up;
pub(crate) mod word_count;
