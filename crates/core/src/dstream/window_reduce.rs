//! [`WindowReduce`]: how a window by key is reduced whose reduce function has an inverse.

use super::Window;
use crate::{Closure, Data, Key};

/// What [`DStream::reduce_by_key_and_window_with`](super::DStream::reduce_by_key_and_window_with) is told.
///
/// ```
/// use headwater::prelude::*;
/// let sum = WindowReduce::<char, f64>::new(|a, b| a + b, |a, b| a - b, (seconds(60), seconds(10)))
///     .filter(|_, sum| *sum != 0.0)
///     .rebase_every(100);
/// ```
#[must_use = "give it to reduce_by_key_and_window_with"]
pub struct WindowReduce<K, V> {
    pub(super) reduce: Box<dyn Fn(V, V) -> V + Send + Sync>,
    pub(super) inverse: Box<dyn Fn(V, V) -> V + Send + Sync>,
    pub(super) window: Window,
    pub(super) filter: Option<Box<dyn Fn(&K, &V) -> bool + Send + Sync>>,
    /// Batches of the stream that is read; 0 for never.
    pub(super) rebase_every: usize,
}

impl<K: Key, V: Data> WindowReduce<K, V> {
    /// `inverse` takes away what `reduce` added: `inverse(reduce(x, y), y)` is `x`.
    pub fn new(
        reduce: impl Fn(V, V) -> V + Closure,
        inverse: impl Fn(V, V) -> V + Closure,
        window: impl Into<Window>,
    ) -> Self {
        let (reduce, inverse) = (Box::new(reduce), Box::new(inverse));
        WindowReduce { reduce, inverse, window: window.into(), filter: None, rebase_every: 0 }
    }
    /// Only keys and aggregates that `keep` takes are in the stream, and a key whose last value has left is forgotten.
    /// What `keep` drops and still has values in the window goes on being counted. Source: the `filterFunc` of Spark's
    /// `reduceByKeyAndWindow`, which forgets what it drops, so that later aggregates are wrong.
    pub fn filter(self, keep: impl Fn(&K, &V) -> bool + Closure) -> Self {
        WindowReduce { filter: Some(Box::new(keep)), ..self }
    }
    /// Makes the aggregates anew of what is in the window in every `batches`th batch of the stream that is read, counted
    /// from the start; where that batch ends no window, in the next one that does. So what floating-point numbers lose by
    /// adding and taking away does not add up. It costs one call of the reduce function for each value in the window. By
    /// default, and with 0, it is never done; the aggregate of a key also begins anew whenever no value of the key is left.
    pub fn rebase_every(self, batches: usize) -> Self {
        WindowReduce { rebase_every: batches, ..self }
    }
}
