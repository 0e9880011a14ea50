//! `cogroup`: the values of a key from two datasets, side by side.

use super::Rdd;
use super::cogroup_many::{Side, Values, cogrouped};
use crate::origin::Origin;
use crate::{Data, Key, Record};
use std::sync::Arc;

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// For each key of either dataset its values from both. A side that is already spread by the same partitioner is
    /// not shuffled. All values of a key are in memory together.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let left = context.parallelize(vec![('a', 1), ('a', 2)], 2);
    /// let right = context.parallelize(vec![('a', "x".to_string())], 1);
    /// assert_eq!(left.cogroup(&right).collect()?, [('a', (vec![1, 2], vec!["x".to_string()]))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cogroup<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (Vec<V>, Vec<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        let append = |left: &mut (Vec<V>, Vec<W>), mut right: (Vec<V>, Vec<W>)| {
            left.0.append(&mut right.0);
            left.1.append(&mut right.1);
        };
        let sides: Vec<Arc<dyn Side<K, _>>> = vec![
            Values::side(self, Default::default, |total: &mut (Vec<V>, _), value| total.0.push(value), append),
            Values::side(other, Default::default, |total: &mut (_, Vec<W>), value| total.1.push(value), append),
        ];
        cogrouped(&self.context, sides, Origin::here("cogroup"))
    }
}
