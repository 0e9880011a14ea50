//! How the values of one key become one total: what a shuffle is asked to do, on both of its sides.

/// Spark's createCombiner, mergeValue and mergeCombiners.
pub trait Aggregator<V>: Send + Sync + 'static {
    /// What the values of one key become.
    type Total: Send + Sync + 'static;

    /// Whether totals are smaller than the values they stand for. Otherwise the map side does not combine: it only
    /// sends the values to their partitions.
    const SHRINKS: bool;

    /// The total of a key's first value.
    fn create(&self, value: V) -> Self::Total;

    /// The total with one more value.
    fn merge(&self, total: Self::Total, value: V) -> Self::Total;

    /// The total of two map tasks' totals.
    fn combine(&self, left: Self::Total, right: Self::Total) -> Self::Total;
}

/// Reduces the values by an associative function: `reduce_by_key`.
///
/// ```
/// use headwater_core::rdd::aggregator::{Aggregator, Reducing};
///
/// let sum = Reducing(|a: u64, b: u64| a + b);
/// assert_eq!(sum.merge(sum.create(1), 2), 3);
/// ```
pub struct Reducing<F>(pub F);

impl<V: Send + Sync + 'static, F: Fn(V, V) -> V + Send + Sync + 'static> Aggregator<V> for Reducing<F> {
    type Total = V;

    const SHRINKS: bool = true;

    #[inline(always)]
    fn create(&self, value: V) -> V {
        value
    }

    #[inline(always)]
    fn merge(&self, total: V, value: V) -> V {
        (self.0)(total, value)
    }

    #[inline(always)]
    fn combine(&self, left: V, right: V) -> V {
        (self.0)(left, right)
    }
}

/// Collects the values: `group_by_key`.
///
/// ```
/// use headwater_core::rdd::aggregator::{Aggregator, Grouping};
///
/// assert_eq!(Grouping.merge(Grouping.create('a'), 'b'), ['a', 'b']);
/// ```
pub struct Grouping;

impl<V: Send + Sync + 'static> Aggregator<V> for Grouping {
    type Total = Vec<V>;

    const SHRINKS: bool = false;

    #[inline(always)]
    fn create(&self, value: V) -> Vec<V> {
        vec![value]
    }

    #[inline(always)]
    fn merge(&self, mut total: Vec<V>, value: V) -> Vec<V> {
        total.push(value);
        total
    }

    #[inline(always)]
    fn combine(&self, mut left: Vec<V>, mut right: Vec<V>) -> Vec<V> {
        left.append(&mut right);
        left
    }
}

/// Calls three functions of the user's: `combine_by_key`.
///
/// ```
/// use headwater_core::rdd::aggregator::{Aggregator, Combining};
///
/// let mean = Combining {
///     create: |value: f64| (value, 1u64),
///     merge: |(sum, count): (f64, u64), value: f64| (sum + value, count + 1),
///     combine: |left: (f64, u64), right: (f64, u64)| (left.0 + right.0, left.1 + right.1),
/// };
/// assert_eq!(mean.merge(mean.create(1.0), 2.0), (3.0, 2));
/// ```
pub struct Combining<C, M, B> {
    /// The total of a key's first value.
    pub create: C,
    /// The total with one more value.
    pub merge: M,
    /// The total of two totals.
    pub combine: B,
}

impl<V, T, C, M, B> Aggregator<V> for Combining<C, M, B>
where
    T: Send + Sync + 'static,
    C: Fn(V) -> T + Send + Sync + 'static,
    M: Fn(T, V) -> T + Send + Sync + 'static,
    B: Fn(T, T) -> T + Send + Sync + 'static,
{
    type Total = T;

    const SHRINKS: bool = true;

    #[inline(always)]
    fn create(&self, value: V) -> T {
        (self.create)(value)
    }

    #[inline(always)]
    fn merge(&self, total: T, value: V) -> T {
        (self.merge)(total, value)
    }

    #[inline(always)]
    fn combine(&self, left: T, right: T) -> T {
        (self.combine)(left, right)
    }
}

/// The same aggregator, used on the reduce side only: `combine_by_key_at_reduce`.
///
/// ```
/// use headwater_core::rdd::aggregator::{Aggregator, AtReduce, Reducing};
///
/// fn shrinks<A: Aggregator<u64>>(_: &A) -> bool {
///     A::SHRINKS
/// }
/// let sum = Reducing(|a: u64, b: u64| a + b);
/// assert!(shrinks(&sum) && !shrinks(&AtReduce(sum)));
/// ```
pub struct AtReduce<A>(pub A);

impl<V, A: Aggregator<V>> Aggregator<V> for AtReduce<A> {
    type Total = A::Total;

    const SHRINKS: bool = false;

    #[inline(always)]
    fn create(&self, value: V) -> A::Total {
        self.0.create(value)
    }

    #[inline(always)]
    fn merge(&self, total: A::Total, value: V) -> A::Total {
        self.0.merge(total, value)
    }

    #[inline(always)]
    fn combine(&self, left: A::Total, right: A::Total) -> A::Total {
        self.0.combine(left, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouping_keeps_the_order_of_values() {
        let left = Grouping.merge(Grouping.create(1), 2);
        let right = Grouping.merge(Grouping.create(3), 4);
        assert_eq!(Grouping.combine(left, right), [1, 2, 3, 4]);
    }

    #[test]
    fn combining_may_change_the_type() {
        let lengths = Combining {
            create: |word: &'static str| word.len(),
            merge: |total: usize, word: &'static str| total + word.len(),
            combine: |left: usize, right: usize| left + right,
        };
        assert_eq!(lengths.combine(lengths.merge(lengths.create("to"), "be"), 3), 7);
    }
}
