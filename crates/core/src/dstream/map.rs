//! `map` on a stream.

use super::DStream;
use crate::{Closure, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// Applies `f` to every record.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![1, 2], vec![3]], |numbers| numbers.map(|x| x * 10), [vec![10, 20], vec![30]]);
    /// ```
    #[track_caller]
    pub fn map<U: Record>(&self, f: impl Fn(T) -> U + Closure) -> DStream<U> {
        let f = Arc::new(f);
        self.derive("map", move |rdd, _| {
            let f = f.clone();
            rdd.map(move |record| f(record))
        })
    }
}
