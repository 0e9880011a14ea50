//! `union` of streams: batch by batch.

use super::{DStream, DStreamGraph};
use crate::{Error, Record};
use std::panic::Location;
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// The records of both streams, this one's first.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![1, 2], vec![3]], |n| n.union(&n.map(|x| x + 4)), [vec![1, 2, 5, 6], vec![3, 7]]);
    /// ```
    #[track_caller]
    pub fn union(&self, other: &DStream<T>) -> DStream<T> {
        self.union_all(std::slice::from_ref(other))
    }

    /// The records of this stream and all `others`, in their order. A stream without an RDD at a time is left out
    /// then; where none has one, neither has the union.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![1]], |n| n.union_all(&[n.map(|x| x + 4), n.map(|x| x + 8)]), [vec![1, 5, 9]]);
    /// ```
    #[track_caller]
    pub fn union_all(&self, others: &[DStream<T>]) -> DStream<T> {
        others.iter().for_each(|other| self.check_slide("union", other));
        let nodes: Vec<_> = std::iter::once(self).chain(others).map(|stream| stream.node.clone()).collect();
        let (parents, context) = (nodes.iter().map(|node| node.clone() as _).collect(), self.context().clone());
        self.attach("union", parents, move |tick| {
            let rdds: Result<Vec<_>, Error> = nodes.iter().map(|node| node.get_or_compute(tick.time)).collect();
            let rdds: Vec<_> = rdds?.into_iter().flatten().collect();
            Ok(if rdds.is_empty() { None } else { Some(context.union(rdds)) })
        })
    }
}

impl DStreamGraph {
    /// The union of `streams`; an empty list is refused at the start, with the caller's place.
    #[track_caller]
    pub fn union<T: Record>(self: &Arc<Self>, streams: &[DStream<T>]) -> DStream<T> {
        match streams {
            [first, others @ ..] => first.union_all(others),
            [] => self.of_no_streams("union", "union"),
        }
    }

    /// Refuses an operator of an empty list of streams; a stream in its place.
    #[track_caller]
    pub(super) fn of_no_streams<T: Record>(self: &Arc<Self>, kind: &'static str, purpose: &str) -> DStream<T> {
        let place = Location::caller();
        self.refuse(Error::program(format!("{kind} at {place}: the list of DStreams to {purpose} is empty")));
        DStream::of_input(self, kind, Arc::new(NoInput), |_| Ok(None))
    }
}

struct NoInput;
impl crate::input::InputDStream for NoInput {}
