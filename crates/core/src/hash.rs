//! The engine's hash.
