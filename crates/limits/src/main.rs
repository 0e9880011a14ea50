//! Limits.
fn main() {}
