//! Every operation of datasets in a stream, on both engines: inside `transform`, where every process runs it, and on the
//! driver, over what the workers have. A table has a line for each operation.

mod actions;
mod harness;
mod kept;
mod narrow;
mod rows;
mod shuffles;
mod side_effects;
mod two_datasets;
