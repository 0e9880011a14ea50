//! The pure core of Headwater.
pub mod hash;
pub mod text;
