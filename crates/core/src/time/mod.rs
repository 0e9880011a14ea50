//! Time on the driver: [`Time`] (a batch's name), [`Interval`], and what `std::time::Duration` lacks for a grid of
//! batches. Pure arithmetic; the clock itself is [`crate::env::Clock`].

mod duration;
mod interval;
mod point;

pub use duration::{DurationExt, milliseconds, minutes, seconds};
pub use interval::Interval;
pub use point::Time;
