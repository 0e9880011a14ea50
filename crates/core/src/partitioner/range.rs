//! [`RangePartitioner`]: keys by ranges of nearly equal weight, which makes sorting a matter of each partition.

use super::Partitioner;

/// Gives each partition a range of keys: all keys of a partition come before those of the next. Equal partitioners have
/// equal bounds. Made by [`Rdd::range_partitioner`](crate::Rdd::range_partitioner). Source: Spark's `RangePartitioner`.
#[derive(Clone, PartialEq, Debug)]
pub struct RangePartitioner<K> {
    /// The last key of each partition but the last, ascending.
    bounds: Vec<K>,
    ascending: bool,
}

impl<K: Ord + Clone> RangePartitioner<K> {
    /// At most `partitions` ranges of nearly equal weight; fewer where there are fewer different keys. `sample` holds keys
    /// and how many records each stands for. Source: Spark's `RangePartitioner.determineBounds`.
    pub(crate) fn of_sample(mut sample: Vec<(K, f64)>, partitions: usize, ascending: bool) -> RangePartitioner<K> {
        sample.sort_by(|left, right| left.0.cmp(&right.0));
        let step = sample.iter().map(|(_, weight)| weight).sum::<f64>() / partitions as f64;
        let (mut bounds, mut passed): (Vec<K>, f64) = (Vec::new(), 0.0);
        for (key, weight) in sample {
            passed += weight;
            let due = passed >= step * (bounds.len() + 1) as f64;
            if due && bounds.len() + 1 < partitions && bounds.last().is_none_or(|last| *last < key) {
                bounds.push(key);
            }
        }
        RangePartitioner { bounds, ascending }
    }
    /// The partitions that may hold keys from `lower` to `upper`, both included.
    pub(crate) fn partitions_of(&self, lower: &K, upper: &K) -> std::ops::RangeInclusive<usize> {
        let (first, last) = (self.place(lower), self.place(upper));
        first.min(last)..=first.max(last)
    }
    fn place(&self, key: &K) -> usize {
        let place = self.bounds.partition_point(|bound| bound < key);
        if self.ascending { place } else { self.bounds.len() - place }
    }
}

impl<K: Ord + Clone + Send + Sync + 'static> Partitioner<K> for RangePartitioner<K> {
    fn num_partitions(&self) -> usize {
        self.bounds.len() + 1
    }
    fn partition(&self, key: &K) -> usize {
        self.place(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(sample: &[(u32, f64)], partitions: usize, ascending: bool) -> Vec<usize> {
        let ranges = RangePartitioner::of_sample(sample.to_vec(), partitions, ascending);
        (0..8).map(|key| ranges.partition(&key)).collect()
    }

    #[test]
    fn ranges_weigh_the_same() {
        let even: Vec<_> = (0..8).map(|key| (key, 1.0)).collect();
        assert_eq!(places(&even, 4, true), [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(places(&even, 4, false), [3, 3, 2, 2, 1, 1, 0, 0]);
        let mut heavy = even.clone();
        heavy[0].1 = 8.0;
        assert_eq!(places(&heavy, 2, true), [0, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(places(&even, 1, true), [0; 8]);
        assert_eq!(places(&[], 4, true), [0; 8]);
        assert_eq!(places(&[(3, 1.0), (3, 1.0), (3, 1.0)], 3, true), [0, 0, 0, 0, 1, 1, 1, 1]);
    }
}
