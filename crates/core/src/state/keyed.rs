//! [`KeyedState`]: the states of the keys of one partition: one table with all virtual shards that belong to it.

use super::clock::Clock;
use super::cold::Id;
use super::shard::{Shard, Then};
use crate::hash::{HashSeed, hash_of};
use crate::time::Time;
use crate::{Key, Record};

/// Records whose cache misses overlap.
const GROUP: usize = 128;

/// Slots from which on a table outgrows the near caches and prefetching pays.
const LARGE: usize = 1 << 15;

/// Where a key is, or would be, in its partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) shard: usize,
    pub(crate) hash: u64,
}

pub(crate) struct KeyedState<K, S> {
    seed: HashSeed,
    pub(super) shards: Vec<Shard<K, S>>,
}

impl<K: Key, S: Record> KeyedState<K, S> {
    pub(crate) fn new(seed: HashSeed) -> Self {
        let shards = vec![Shard::new(seed)];
        KeyedState { seed, shards }
    }
    pub(crate) fn seed(&self) -> HashSeed {
        self.seed
    }
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }
    /// Slots that there are, vacant ones too.
    pub(super) fn num_slots(&self) -> usize {
        self.shards.iter().map(Shard::num_slots).sum()
    }
    pub(crate) fn table_bytes(&self) -> usize {
        self.shards.iter().map(Shard::table_bytes).sum()
    }
    #[inline(always)]
    pub(crate) fn place(&self, key: &K) -> Place {
        let hash = hash_of(self.seed, key);
        Place { shard: 0, hash }
    }
    /// Calls `each` with every record of `chunk` and the place of its key, and leaves the chunk empty. The places of a
    /// group are found first, so that its cache misses overlap.
    #[inline]
    pub(crate) fn each_placed<V, E>(
        &mut self,
        chunk: &mut Vec<(K, V)>,
        mut each: impl FnMut(&mut Self, Place, K, V) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut places = [Place { shard: 0, hash: 0 }; GROUP];
        let prefetches = self.shards.iter().any(|shard| shard.num_slots() > LARGE);
        let mut records = chunk.drain(..);
        while !records.as_slice().is_empty() {
            let group = &records.as_slice()[..records.len().min(GROUP)];
            let places = &mut places[..group.len()];
            for (place, (key, _)) in places.iter_mut().zip(group) {
                *place = self.place(key);
            }
            if prefetches {
                places.iter().for_each(|place| self.shards[place.shard].prefetch_index(place.hash));
                places.iter().for_each(|place| self.shards[place.shard].prefetch_slot(place.hash));
            }
            for (place, (key, value)) in places.iter().zip(records.by_ref()) {
                each(self, *place, key, value)?;
            }
        }
        Ok(())
    }

    pub(crate) fn rollback(&mut self) {
        self.shards.iter_mut().for_each(Shard::rollback);
    }
    /// The batch has made `version`; versions before `oldest` are not read any more.
    pub(crate) fn commit(&mut self, version: Time, oldest: Time) {
        for shard in &mut self.shards {
            shard.forget_before(oldest);
            shard.commit(version);
        }
    }
    /// Of what is in memory: fills `out` with up to `most` of what `take` makes of the entries of `version`, from `cursor`
    /// on; the cursor to go on at, or none at the end.
    pub(crate) fn scan<R>(
        &self,
        version: Time,
        cursor: Cursor,
        most: usize,
        out: &mut Vec<R>,
        mut take: impl FnMut(&K, &S) -> Option<R>,
    ) -> Option<Cursor> {
        let Cursor::Memory { shard, slot: mut from, mut then } = cursor else { return None };
        for shard in shard..self.shards.len() {
            let more = |key: &K, state: &S| {
                out.extend(take(key, state));
                out.len() < most
            };
            if let Some(slot) = self.shards[shard].scan(version, from, &mut then, more) {
                return Some(Cursor::Memory { shard, slot, then });
            }
            (from, then) = Default::default();
        }
        None
    }
    /// All entries as they are now, with their clocks.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&K, &S, Clock)> {
        self.shards.iter().flat_map(|shard| {
            let slots = 0..shard.num_slots() as u32;
            slots.filter_map(|slot| shard.get(slot).map(|(key, state)| (key, state, shard.clock(slot))))
        })
    }
}

/// How far a scan has come.
pub(crate) enum Cursor {
    Memory {
        shard: usize,
        slot: usize,
        then: Then,
    },
    /// Behind what is in memory; behind an entry on disk, if it is one.
    Disk(Option<Id>),
}
impl Default for Cursor {
    fn default() -> Self {
        Cursor::Memory { shard: 0, slot: 0, then: Then::default() }
    }
}
