//! `map_values` and `flat_map_values`: the value changes, the key and its partition stay.

use super::{CHUNK, Rdd};
use crate::origin::Origin;
use crate::{Closure, Record};

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// Applies `f` to every value. Keys stay in their partitions, so a following operation by key need not shuffle.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('b', 2)], 1);
    /// assert_eq!(pairs.map_values(|n| n + 10).collect()?, [('a', 11), ('b', 12)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map_values<U: Record>(&self, f: impl Fn(V) -> U + Closure) -> Rdd<(K, U)> {
        let origin = Origin::here("map_values");
        self.narrow(true, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                out.extend(chunk.drain(..).map(|(key, value)| (key, f(value))));
                sink(&mut out)
            })
        })
    }

    /// Applies `f` to every value and emits the key with each result, in order.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('b', 2)], 1);
    /// assert_eq!(pairs.flat_map_values(|n| [n, n + 10]).collect()?, [('a', 1), ('a', 11), ('b', 2), ('b', 12)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn flat_map_values<I>(&self, f: impl Fn(V) -> I + Closure) -> Rdd<(K, I::Item)>
    where
        K: Clone,
        I: IntoIterator<Item: Record>,
    {
        let origin = Origin::here("flat_map_values");
        self.narrow(true, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                for (key, value) in chunk.drain(..) {
                    for produced in f(value) {
                        if out.len() == CHUNK {
                            sink(&mut out)?;
                            task.check()?;
                            task.enter(origin);
                        }
                        out.push((key.clone(), produced));
                    }
                }
                sink(&mut out)
            })
        })
    }
}
