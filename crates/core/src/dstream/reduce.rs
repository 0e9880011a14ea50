//! `reduce` on a stream.

use super::DStream;
use crate::rdd::reducing;
use crate::{Closure, Data, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// One record per batch: all of its records, reduced by `reduce`, which must be associative and commutative. An
    /// empty batch gives none.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![1, 2, 3, 4], vec![]], |numbers| numbers.reduce(|a, b| a + b), [vec![10], vec![]]);
    /// ```
    #[track_caller]
    pub fn reduce(&self, reduce: impl Fn(T, T) -> T + Closure) -> DStream<T>
    where
        T: Data,
    {
        let (kind, reduce) = ("reduce", Arc::new(reduce));
        self.derive(kind, move |rdd, _| {
            let partial = rdd.fold_partitions(kind, || None, reducing(reduce.clone()), |total| total);
            partial.repartition(1).fold_partitions(kind, || None, reducing(reduce.clone()), |total| total)
        })
    }
}
