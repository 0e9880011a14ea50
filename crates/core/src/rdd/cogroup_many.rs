//! `cogroup3`, `cogroup4` and [`RddContext::cogroup_all`]: the values of a key from more than two datasets, side by
//! side. One table takes the values of all; a total has a list for each.

use super::aggregator::Aggregator;
use super::combine_table::CombineTable;
use super::node::push_all;
use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::origin::{Origin, as_part_of};
use crate::partitioner::{KeyPartitioner, PartitionChoice, Partitioning};
use crate::{Data, Key, Record};
use std::sync::Arc;

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// [`Rdd::cogroup`] by Spark's other name, `groupWith`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let (left, right) = (context.parallelize(vec![('a', 1)], 1), context.parallelize(vec![('a', 2)], 1));
    /// assert_eq!(left.group_with(&right).collect()?, [('a', (vec![1], vec![2]))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn group_with<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (Vec<V>, Vec<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.cogroup(other)
    }

    /// For each key of any of three datasets its values from all. Otherwise as [`Rdd::cogroup`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let clicks = context.parallelize(vec![(7, 'x'), (7, 'y')], 2);
    /// let names = context.parallelize(vec![(7, "Ada".to_string())], 1);
    /// let ages = context.parallelize(vec![(7, 36)], 1);
    /// let users = clicks.cogroup3(&names, &ages).with_partitions(3);
    /// assert_eq!(users.collect()?, [(7, (vec!['x', 'y'], vec!["Ada".to_string()], vec![36]))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cogroup3<A, B>(&self, a: &Rdd<(K, A)>, b: &Rdd<(K, B)>) -> Rdd<(K, (Vec<V>, Vec<A>, Vec<B>))>
    where
        K: Key,
        V: Data,
        A: Data,
        B: Data,
    {
        let append = |l: &mut (Vec<V>, Vec<A>, Vec<B>), mut r: (Vec<V>, Vec<A>, Vec<B>)| {
            l.0.append(&mut r.0);
            l.1.append(&mut r.1);
            l.2.append(&mut r.2);
        };
        let sides: Vec<Arc<dyn Side<K, _>>> = vec![
            Values::side(self, Default::default, |total: &mut (Vec<V>, _, _), value| total.0.push(value), append),
            Values::side(a, Default::default, |total: &mut (_, Vec<A>, _), value| total.1.push(value), append),
            Values::side(b, Default::default, |total: &mut (_, _, Vec<B>), value| total.2.push(value), append),
        ];
        cogrouped(&self.context, sides, Origin::here("cogroup3"))
    }

    /// For each key of any of four datasets its values from all. Otherwise as [`Rdd::cogroup`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let of = |n: i32| context.parallelize(vec![('k', n)], 1);
    /// let all = of(1).cogroup4(&of(2), &of(3), &of(4).filter(|_| false));
    /// assert_eq!(all.collect()?, [('k', (vec![1], vec![2], vec![3], vec![]))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cogroup4<A, B, C>(
        &self,
        a: &Rdd<(K, A)>,
        b: &Rdd<(K, B)>,
        c: &Rdd<(K, C)>,
    ) -> Rdd<(K, (Vec<V>, Vec<A>, Vec<B>, Vec<C>))>
    where
        K: Key,
        V: Data,
        A: Data,
        B: Data,
        C: Data,
    {
        let append = |l: &mut (Vec<V>, Vec<A>, Vec<B>, Vec<C>), mut r: (Vec<V>, Vec<A>, Vec<B>, Vec<C>)| {
            l.0.append(&mut r.0);
            l.1.append(&mut r.1);
            l.2.append(&mut r.2);
            l.3.append(&mut r.3);
        };
        let sides: Vec<Arc<dyn Side<K, _>>> = vec![
            Values::side(self, Default::default, |total: &mut (Vec<V>, _, _, _), value| total.0.push(value), append),
            Values::side(a, Default::default, |total: &mut (_, Vec<A>, _, _), value| total.1.push(value), append),
            Values::side(b, Default::default, |total: &mut (_, _, Vec<B>, _), value| total.2.push(value), append),
            Values::side(c, Default::default, |total: &mut (_, _, _, Vec<C>), value| total.3.push(value), append),
        ];
        cogrouped(&self.context, sides, Origin::here("cogroup4"))
    }
}

impl RddContext {
    /// For each key of any of the datasets its values from each, in the order of `rdds`. Otherwise as
    /// [`Rdd::cogroup`]; nothing from nothing.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let of = |n: i32| context.parallelize(vec![('k', n)], 1);
    /// let all = context.cogroup_all(&[of(1), of(2).filter(|_| false), of(3), of(4).union(&of(5))]);
    /// assert_eq!(all.collect()?, [('k', vec![vec![1], vec![], vec![3], vec![4, 5]])]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cogroup_all<K: Key, V: Data>(&self, rdds: &[Rdd<(K, V)>]) -> Rdd<(K, Vec<Vec<V>>)> {
        let lists = rdds.len();
        let append = |left: &mut Vec<Vec<V>>, right: Vec<Vec<V>>| {
            left.iter_mut().zip(right).for_each(|(left, mut right)| left.append(&mut right));
        };
        let side = |(at, rdd): (usize, &Rdd<(K, V)>)| -> Arc<dyn Side<K, Vec<Vec<V>>>> {
            let push = move |total: &mut Vec<Vec<V>>, value: V| total[at].push(value);
            Values::side(rdd, move || vec![Vec::new(); lists], push, append)
        };
        if rdds.is_empty() {
            return self.empty_rdd();
        }
        cogrouped(self, rdds.iter().enumerate().map(side).collect(), Origin::here("cogroup_all"))
    }
}

/// One of the datasets that meet in totals of type `C`.
pub(super) trait Side<K, C>: Send + Sync {
    fn partitioner(&self) -> Option<Partitioning>;
    /// The same side, spread by `partitioner`.
    fn placed(&self, partitioner: &KeyPartitioner<K>) -> Arc<dyn Side<K, C>>;
    fn shuffles(&self, found: &mut FoundShuffles);
    /// Adds the values of the task's partition to the totals of their keys.
    fn merge(&self, table: &mut CombineTable<K, C>, task: &Task<'_>, origin: Origin) -> Outcome;
}

/// A side whose values the aggregator adds.
pub(super) struct Values<K, V, A> {
    rdd: Rdd<(K, V)>,
    adding: Arc<A>,
}

/// Adds a side's values to its list of the total.
struct Adding<E, P, J> {
    empty: E,
    push: P,
    append: J,
}

impl<K: Key, V: Data> Values<K, V, ()> {
    pub(super) fn side<C: Record>(
        rdd: &Rdd<(K, V)>,
        empty: impl Fn() -> C + Record,
        push: impl Fn(&mut C, V) + Record,
        append: impl Fn(&mut C, C) + Record,
    ) -> Arc<dyn Side<K, C>> {
        Arc::new(Values { rdd: rdd.clone(), adding: Arc::new(Adding { empty, push, append }) })
    }
}

impl<C: Record, V, E, P, J> Aggregator<V> for Adding<E, P, J>
where
    E: Fn() -> C + Record,
    P: Fn(&mut C, V) + Record,
    J: Fn(&mut C, C) + Record,
{
    type Total = C;
    const SHRINKS: bool = false;
    fn create(&self, value: V) -> C {
        self.merge((self.empty)(), value)
    }
    fn merge(&self, mut total: C, value: V) -> C {
        (self.push)(&mut total, value);
        total
    }
    fn combine(&self, mut left: C, right: C) -> C {
        (self.append)(&mut left, right);
        left
    }
}

impl<K: Key, V: Data, C: Record, A: Aggregator<V, Total = C>> Side<K, C> for Values<K, V, A> {
    fn partitioner(&self) -> Option<Partitioning> {
        self.rdd.partitioner()
    }
    fn placed(&self, partitioner: &KeyPartitioner<K>) -> Arc<dyn Side<K, C>> {
        Arc::new(Values { rdd: self.rdd.placed(partitioner), adding: self.adding.clone() })
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.rdd.node.shuffles(found)
    }
    fn merge(&self, table: &mut CombineTable<K, C>, task: &Task<'_>, origin: Origin) -> Outcome {
        self.rdd.node.compute(task, &mut |chunk| {
            task.enter(origin);
            table.merge_chunk(chunk, &*self.adding);
            Ok(())
        })
    }
}

/// The datasets are spread by [`RddContext::default_partitioner`].
pub(super) fn cogrouped<K: Key, C: Record>(
    context: &RddContext,
    sides: Vec<Arc<dyn Side<K, C>>>,
    origin: Origin,
) -> Rdd<(K, C)> {
    let partitioner = context.default_partitioner(sides.iter().map(|side| side.partitioner()));
    Rdd::from_node(context, CoGroupedMany::new(sides, partitioner, origin))
}

struct CoGroupedMany<K, C> {
    placed: Vec<Arc<dyn Side<K, C>>>,
    /// The sides as they came, for another number of partitions.
    unplaced: Vec<Arc<dyn Side<K, C>>>,
    partitioner: KeyPartitioner<K>,
    origin: Origin,
}
impl<K: Key, C: Record> CoGroupedMany<K, C> {
    fn new(unplaced: Vec<Arc<dyn Side<K, C>>>, partitioner: KeyPartitioner<K>, origin: Origin) -> Self {
        let place = || unplaced.iter().map(|side| side.placed(&partitioner)).collect();
        let placed = as_part_of(origin, place);
        CoGroupedMany { placed, unplaced, partitioner, origin }
    }
}
impl<K: Key, C: Record> Node<(K, C)> for CoGroupedMany<K, C> {
    fn num_partitions(&self) -> usize {
        self.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.placed.iter().for_each(|side| side.shuffles(found))
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.partitioner.erased().clone())
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<(K, C)>>> {
        let partitioner = choice.typed(self.partitioner.seed())?;
        Some(Arc::new(CoGroupedMany::new(self.unplaced.clone(), partitioner, self.origin)))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, C)>) -> Outcome {
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), CHUNK);
        self.placed.iter().try_for_each(|side| side.merge(&mut table, task, self.origin))?;
        push_all(task, table.into_entries().map(|entry| (entry.key, entry.value)), sink)
    }
}
