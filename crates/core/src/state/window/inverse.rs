//! [`Inverse`]: a window whose reduce function has an inverse: one running aggregate for each key.

use super::Windowing;
use crate::Data;

/// `reduce(a, b)` adds, `inverse(a, b)` takes away again.
pub(crate) struct Inverse<F, I> {
    pub(crate) reduce: F,
    pub(crate) inverse: I,
}

/// The aggregate of a key, and how many batches in the window have a value of it.
pub(crate) struct Sum<V> {
    total: V,
    batches: u32,
}

impl<V: Data, F, I> Windowing<V> for Inverse<F, I>
where
    F: Fn(V, V) -> V + Send + Sync + 'static,
    I: Fn(V, V) -> V + Send + Sync + 'static,
{
    type Entry = Sum<V>;
    type Kept = V;
    type Pool = ();
    type Image = (V, u32);

    #[inline(always)]
    fn reduce(&self, older: V, newer: V) -> V {
        (self.reduce)(older, newer)
    }
    #[inline(always)]
    fn enter(&self, (): &mut (), old: Option<&Sum<V>>, value: V) -> (Sum<V>, V) {
        // Where no value was left the aggregate begins anew, and with it what rounding has added up.
        let Some(old) = old.filter(|old| old.batches > 0) else {
            return (Sum { total: value.clone(), batches: 1 }, value);
        };
        let total = (self.reduce)(old.total.clone(), value.clone());
        (Sum { total, batches: old.batches + 1 }, value)
    }
    #[inline(always)]
    fn leave(&self, (): &mut (), old: &Sum<V>, kept: &V) -> Sum<V> {
        Sum { total: (self.inverse)(old.total.clone(), kept.clone()), batches: old.batches - 1 }
    }
    fn is_empty(entry: &Sum<V>) -> bool {
        entry.batches == 0
    }
    fn total(entry: &Sum<V>) -> &V {
        &entry.total
    }
    fn left(total: V) -> Option<Sum<V>> {
        Some(Sum { total, batches: 0 })
    }
    fn rebased(&self, old: &Sum<V>, values: Vec<&V>) -> Option<Sum<V>> {
        let total = values.into_iter().cloned().reduce(&self.reduce)?;
        Some(Sum { total, batches: old.batches })
    }
    fn image((): &(), entry: &Sum<V>) -> (V, u32) {
        (entry.total.clone(), entry.batches)
    }
    fn restore((): &mut (), (total, batches): (V, u32)) -> Sum<V> {
        Sum { total, batches }
    }
}
