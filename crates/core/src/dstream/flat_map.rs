//! `flat_map` on a stream.

use super::DStream;
use crate::{Closure, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// Applies `f` to every record and emits all that the results yield, in order.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let lines = [vec![Text::from("to be"), Text::from("or not")]];
    /// let words = ["to", "be", "or", "not"].map(Text::from).to_vec();
    /// check(lines, |lines| lines.flat_map(|line| line.split(' ')), [words]);
    /// ```
    #[track_caller]
    pub fn flat_map<I>(&self, f: impl Fn(T) -> I + Closure) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record> + 'static,
    {
        let f = Arc::new(f);
        self.derive("flat_map", move |rdd, _| {
            let f = f.clone();
            rdd.flat_map(move |record| f(record))
        })
    }
}
