//! `transform`: any operation on the batch's RDD.

use super::{DStream, DStreamGraph};
use crate::origin::in_user_code;
use crate::rdd::Rdd;
use crate::time::Time;
use crate::{Closure, Record, Result};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// Applies `f` to each batch's RDD: for what the RDD can do and the stream cannot, or a join with a dataset that
    /// does not stream. `f` runs on the driver, once per batch, when the batch's jobs are made; its batch time comes
    /// with the RDD. It must give the same result for the same arguments. A batch without an RDD does not call it.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |words: DStream<(char, i32)>| {
    ///     let spam = words.context().parallelize(vec![('x', true)], 1);
    ///     let marked = words.transform(move |rdd, _time| rdd.left_outer_join(&spam));
    ///     marked.filter(|(_, (_, spam))| spam.is_none()).map_values(|(n, _)| n)
    /// };
    /// check([vec![('a', 1), ('x', 2)]], program, [vec![('a', 1)]]);
    /// ```
    #[track_caller]
    pub fn transform<U: Record>(&self, f: impl Fn(Rdd<T>, Time) -> Rdd<U> + Closure) -> DStream<U> {
        self.derive("transform", move |rdd, tick| in_user_code(|| f(rdd, tick.time))).choosing_partitions()
    }

    /// Applies `f` to the RDDs of two streams of the same time; one that is missing is empty.
    ///
    /// ```
    /// use headwater::{testkit::check_two, DStream};
    /// let program = |left: DStream<i32>, right: DStream<i32>| left.transform_with(&right, |l, r, _time| r.union(&l));
    /// check_two([vec![1]], [vec![2]], program, [vec![2, 1]]);
    /// ```
    #[track_caller]
    pub fn transform_with<O: Record, U: Record>(
        &self,
        other: &DStream<O>,
        f: impl Fn(Rdd<T>, Rdd<O>, Time) -> Rdd<U> + Closure,
    ) -> DStream<U> {
        self.derive_two("transform_with", other, move |left, right, tick| in_user_code(|| f(left, right, tick.time)))
            .choosing_partitions()
    }
}

impl DStreamGraph {
    /// Applies `f` to the RDDs of all `streams` of the same time, in their order; one that is missing is empty, and
    /// where none has an RDD, `f` is not called. An empty list is refused at the start.
    #[track_caller]
    pub fn transform<T: Record, U: Record>(
        self: &Arc<Self>,
        streams: &[DStream<T>],
        f: impl Fn(Vec<Rdd<T>>, Time) -> Rdd<U> + Closure,
    ) -> DStream<U> {
        let [first, others @ ..] = streams else { return self.of_no_streams("transform", "transform") };
        others.iter().for_each(|other| first.check_slide("transform", other));
        let nodes: Vec<_> = streams.iter().map(|stream| stream.node.clone()).collect();
        let (parents, context) = (nodes.iter().map(|node| node.clone() as _).collect(), self.context().clone());
        let transformed = first.attach("transform", parents, move |tick| {
            let rdds: Result<Vec<_>> = nodes.iter().map(|node| node.get_or_compute(tick.time)).collect();
            let rdds = rdds?;
            if rdds.iter().all(Option::is_none) {
                return Ok(None);
            }
            let rdds = rdds.into_iter().map(|rdd| rdd.unwrap_or_else(|| context.empty_rdd())).collect();
            Ok(Some(tick.placed(in_user_code(|| f(rdds, tick.time)))))
        });
        transformed.choosing_partitions()
    }
}
