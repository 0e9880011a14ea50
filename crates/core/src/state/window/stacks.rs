//! [`TwoStacks`]: a window whose reduce function has no inverse. The values of a key are a queue made of two stacks: the
//! back holds the values that came, newest on top, and their aggregate; the front holds aggregates of the older ones, the
//! oldest on top, each of its value and all newer ones of the front. A value is moved from back to front once, so that
//! what leaves and what enters costs a few calls of the function, however long the window is. Source: Tangwongsan,
//! Hirzel, Schneider, "Low-latency sliding-window aggregation in worst-case constant time" (2017), section 2.

use super::{Pool, Windowing};
use crate::Data;
use std::mem;
use std::num::NonZeroU32;

/// `F`: the reduce function; the older value is its first argument.
pub(crate) struct TwoStacks<F>(pub(crate) F);

/// A key's queue. Stacks are lists of nodes, which are never changed, so that the entry before a batch is right where the
/// batch is taken back. Of an older version, only the total is read.
pub(crate) struct Queue<V> {
    front: u32,
    back: u32,
    back_total: Option<V>,
    /// Of both stacks.
    total: V,
}

/// The bottom of a stack.
const NONE: u32 = u32::MAX - 1;

/// Nodes that are added at once when all are taken, as a share of those there are: a vector that doubles would waste half.
const GROWTH: usize = 4;

/// The nodes of a partition's stacks.
pub(crate) struct Nodes<V> {
    nodes: Vec<Option<Link<V>>>,
    free: Vec<u32>,
    /// What the running batch has made, and what it has taken off: a batch that is taken back needs that again.
    fresh: Vec<u32>,
    unused: Vec<u32>,
}
struct Link<V> {
    value: V,
    /// The number of the node below plus one: never 0, so that a vacant node takes no room of its own.
    below: NonZeroU32,
}
impl<V> Link<V> {
    fn new(value: V, below: u32) -> Link<V> {
        Link { value, below: NonZeroU32::new(below + 1).expect("the bottom's number is the largest") }
    }
    fn below(&self) -> u32 {
        self.below.get() - 1
    }
}
impl<V> Default for Nodes<V> {
    fn default() -> Self {
        let (nodes, free, fresh, unused) = Default::default();
        Nodes { nodes, free, fresh, unused }
    }
}
impl<V> Nodes<V> {
    fn push(&mut self, value: V, below: u32) -> u32 {
        let node = self.free.pop().unwrap_or_else(|| {
            let nodes = self.nodes.len();
            assert!(
                nodes < NONE as usize,
                "a window holds at most 2^32 - 2 values in a partition: use more partitions"
            );
            if nodes == self.nodes.capacity() {
                self.nodes.reserve_exact((nodes / GROWTH).max(4));
            }
            self.nodes.push(None);
            self.nodes.len() as u32 - 1
        });
        self.nodes[node as usize] = Some(Link::new(value, below));
        self.fresh.push(node);
        node
    }
    fn get(&self, node: u32) -> Option<&Link<V>> {
        self.nodes.get(node as usize)?.as_ref()
    }
    /// The values of a stack, from its top.
    fn stack(&self, top: u32) -> impl Iterator<Item = &V> {
        std::iter::successors(self.get(top), |link| self.get(link.below())).map(|link| &link.value)
    }
    fn release(&mut self, nodes: Vec<u32>) {
        for node in nodes {
            self.nodes[node as usize] = None;
            self.free.push(node);
        }
    }
}
impl<V: Send + 'static> Pool for Nodes<V> {
    fn rollback(&mut self) {
        self.unused.clear();
        let fresh = mem::take(&mut self.fresh);
        self.release(fresh);
    }
    fn commit(&mut self) {
        self.fresh.clear();
        let unused = mem::take(&mut self.unused);
        self.release(unused);
    }
}

impl<F> TwoStacks<F> {
    fn total_of<V: Data>(&self, nodes: &Nodes<V>, front: u32, back_total: Option<&V>) -> Option<V>
    where
        F: Fn(V, V) -> V,
    {
        match (nodes.get(front), back_total) {
            (Some(front), Some(back)) => Some((self.0)(front.value.clone(), back.clone())),
            (Some(front), None) => Some(front.value.clone()),
            (None, back) => back.cloned(),
        }
    }
}

impl<V: Data, F> Windowing<V> for TwoStacks<F>
where
    F: Fn(V, V) -> V + Send + Sync + 'static,
{
    type Entry = Queue<V>;
    type Kept = ();
    type Pool = Nodes<V>;
    /// The values of both stacks from their tops, the aggregate of the back, and that of all.
    type Image = (Vec<V>, Vec<V>, Option<V>, V);

    #[inline(always)]
    fn reduce(&self, older: V, newer: V) -> V {
        (self.0)(older, newer)
    }
    fn enter(&self, nodes: &mut Nodes<V>, old: Option<&Queue<V>>, value: V) -> (Queue<V>, ()) {
        let Some(old) = old else {
            let (back, total) = (nodes.push(value.clone(), NONE), value.clone());
            return (Queue { front: NONE, back, back_total: Some(value), total }, ());
        };
        let back = nodes.push(value.clone(), old.back);
        let back_total = match &old.back_total {
            Some(total) => (self.0)(total.clone(), value),
            None => value,
        };
        let total = self.total_of(nodes, old.front, Some(&back_total)).expect("the back has a value");
        (Queue { front: old.front, back, back_total: Some(back_total), total }, ())
    }
    fn leave(&self, nodes: &mut Nodes<V>, old: &Queue<V>, (): &()) -> Queue<V> {
        let (mut front, mut back, mut back_total) = (old.front, old.back, old.back_total.clone());
        if front == NONE {
            // The back is turned over: its newest value comes to the bottom of the front.
            while let Some(link) = nodes.get(back) {
                let (value, below) = (link.value.clone(), link.below());
                let aggregate = match nodes.get(front) {
                    Some(newer) => (self.0)(value, newer.value.clone()),
                    None => value,
                };
                nodes.unused.push(back);
                front = nodes.push(aggregate, front);
                back = below;
            }
            back_total = None;
        }
        nodes.unused.push(front);
        front = nodes.get(front).map_or(NONE, |oldest| oldest.below());
        let total = self.total_of(nodes, front, back_total.as_ref()).unwrap_or_else(|| old.total.clone());
        Queue { front, back, back_total, total }
    }
    fn is_empty(entry: &Queue<V>) -> bool {
        entry.front == NONE && entry.back == NONE
    }
    fn total(entry: &Queue<V>) -> &V {
        &entry.total
    }
    /// An entry without values is removed.
    fn left(_total: V) -> Option<Queue<V>> {
        None
    }
    /// Aggregates are made of the values themselves, always.
    fn rebased(&self, _old: &Queue<V>, _values: Vec<&()>) -> Option<Queue<V>> {
        None
    }
    fn image(nodes: &Nodes<V>, entry: &Queue<V>) -> Self::Image {
        let values = |top| nodes.stack(top).cloned().collect();
        (values(entry.front), values(entry.back), entry.back_total.clone(), entry.total.clone())
    }
    fn restore(nodes: &mut Nodes<V>, (front, back, back_total, total): Self::Image) -> Queue<V> {
        let mut stack = |values: Vec<V>| values.into_iter().rev().fold(NONE, |below, value| nodes.push(value, below));
        Queue { front: stack(front), back: stack(back), back_total, total }
    }
}
