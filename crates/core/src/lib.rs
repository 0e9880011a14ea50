//! The pure core of Headwater.

pub mod hash;
pub mod rdd;
pub mod text;
