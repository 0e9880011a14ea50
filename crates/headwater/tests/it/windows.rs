//! Windows: Spark's `WindowOperationsSuite`, the windows of its Java and Python suites, and what they leave out.

mod by_key;
mod kept;
mod not_generated;
mod plain;
mod reduced;
mod refused;
