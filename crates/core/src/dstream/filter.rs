//! `filter` on a stream.

use super::DStream;
use crate::{Closure, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// Keeps the records for which `keep` is true.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![1, 2], vec![3]], |numbers| numbers.filter(|x| x % 2 == 1), [vec![1], vec![3]]);
    /// ```
    #[track_caller]
    pub fn filter(&self, keep: impl Fn(&T) -> bool + Closure) -> DStream<T> {
        let keep = Arc::new(keep);
        self.derive("filter", move |rdd, _| {
            let keep = keep.clone();
            rdd.filter(move |record| keep(record))
        })
    }
}
