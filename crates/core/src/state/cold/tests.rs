//! What lies on disk beside a plain map: every version, and every deadline.

use super::*;
use crate::env::{SpillSpace, SpillTable};
use crate::rdd::StateLimits;
use crate::state::memory::StateMemory;
use crate::{Error, ErrorKind};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tables in memory, which take so many changes in all.
struct Tables(Arc<AtomicUsize>);
struct Table(BTreeMap<Vec<u8>, Vec<u8>>, Arc<AtomicUsize>);

impl SpillSpace for Tables {
    fn open(&self, _local_dir: Option<&str>, _name: &str) -> Result<Box<dyn SpillTable>> {
        Ok(Box::new(Table(BTreeMap::new(), self.0.clone())))
    }
}
impl SpillTable for Table {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(key).cloned())
    }
    fn write(&mut self, changes: &mut dyn Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) -> Result<()> {
        for (key, value) in changes {
            let left = self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            left.map_err(|_| Error::new(ErrorKind::Outside, "the disk is full"))?;
            match value {
                Some(value) => drop(self.0.insert(key, value)),
                None => drop(self.0.remove(&key)),
            }
        }
        Ok(())
    }
    fn page(&self, range: (Bound<&[u8]>, Bound<&[u8]>), limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let inside = self.0.range::<[u8], _>((range.0, Bound::Unbounded)).take_while(|(key, _)| match range.1 {
            Bound::Included(to) => &key[..] <= to,
            Bound::Excluded(to) => &key[..] < to,
            Bound::Unbounded => true,
        });
        Ok(inside.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
    fn bytes_on_disk(&self) -> u64 {
        self.0.len() as u64
    }
}

fn cold(memory_bytes: u64, writes: &Arc<AtomicUsize>) -> Cold {
    let limits = StateLimits { memory_bytes, ..StateLimits::default() };
    let memory = Arc::new(StateMemory::new(limits, Arc::new(Tables(writes.clone()))));
    Cold::new(Room::new(memory, "of a test".to_owned()))
}

/// By hash: entries, how many they are, and when they are due.
type Model = BTreeMap<u64, (Vec<u8>, usize, Option<i64>)>;

#[derive(Clone, Debug)]
enum Change {
    /// Instead of what was there.
    Put(u64, Vec<u8>, usize, Option<i64>),
    Replace(u64, Vec<u8>),
    Remove(u64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..20);
    let hash = || prop_oneof![0..12u64, Just(u64::MAX)];
    let change = prop_oneof![
        4 => (hash(), bytes(), 1..3usize, prop::option::of(0..30i64)).prop_map(|(h, b, n, d)| Change::Put(h, b, n, d)),
        2 => (hash(), bytes()).prop_map(|(hash, bytes)| Change::Replace(hash, bytes)),
        3 => hash().prop_map(Change::Remove),
    ];
    prop::collection::vec(change, 0..15)
}

fn apply(cold: &mut Cold, model: &mut Model, change: Change) -> Result<()> {
    let deadline = |millis: Option<i64>| millis.map(Time::from_millis);
    let (Change::Put(hash, ..) | Change::Replace(hash, _) | Change::Remove(hash)) = change;
    let old = model.get(&hash).cloned();
    assert_eq!(cold.get(hash)?, old.clone().map(|(bytes, ..)| bytes));
    match (change, old) {
        (Change::Replace(_, new), Some(_)) => {
            cold.replace(hash, new.clone())?;
            model.get_mut(&hash).expect("it was there").0 = new;
            return Ok(());
        }
        (_, Some((_, keys, due))) => {
            cold.remove(hash, keys, deadline(due))?;
            model.remove(&hash);
        }
        (Change::Put(_, bytes, keys, due), None) => {
            cold.put(hash, bytes.clone(), keys, deadline(due))?;
            model.insert(hash, (bytes, keys, due));
        }
        _ => {}
    }
    Ok(())
}

/// All pages; `between` runs behind each.
fn entries(cold: &mut Cold, version: Option<Time>, mut between: impl FnMut(&mut Cold)) -> Vec<(u64, Vec<u8>)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = cold.entries(version, after, 3).unwrap();
        for (id, bytes) in page.records {
            let Id::Entries(hash) = id else { panic!("{id:?} is no entry") };
            found.push((hash, bytes));
        }
        between(cold);
        after = page.last;
        if after.is_none() {
            return found;
        }
    }
}
fn plain(model: &Model) -> Vec<(u64, Vec<u8>)> {
    model.iter().map(|(hash, (bytes, ..))| (*hash, bytes.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever fails, and however many versions are kept.
    #[test]
    fn every_version_is_what_it_was(
        batches in prop::collection::vec((changes(), prop::option::of(0..60usize), 0..4i64), 1..12),
        memory_bytes in prop_oneof![Just(0u64), 0..4000u64, Just(1 << 20)],
    ) {
        let writes = Arc::new(AtomicUsize::new(usize::MAX));
        let (mut cold, mut model) = (cold(memory_bytes, &writes), Model::new());
        let mut versions = BTreeMap::from([(0, model.clone())]);
        for (number, (batch, writes_left, kept)) in (1i64..).zip(batches) {
            let before = model.clone();
            writes.store(writes_left.unwrap_or(usize::MAX), Ordering::Relaxed);
            let oldest = (number - 1 - kept).max(0);
            versions.retain(|version, _| *version >= oldest);
            let run = || {
                cold.sink(Time::from_millis(oldest))?;
                batch.into_iter().try_for_each(|change| apply(&mut cold, &mut model, change))
            };
            let done = run();
            prop_assert!(done.is_ok() || writes_left.is_some());
            if done.is_ok() {
                prop_assert_eq!(entries(&mut cold, None, |_| ()), plain(&model), "before the commit of {}", number);
                cold.commit(Time::from_millis(number));
            } else {
                cold.rollback();
                model = before;
            }
            versions.insert(number, model.clone());
            for (version, then) in &versions {
                let read = entries(&mut cold, Some(Time::from_millis(*version)), |_| ());
                prop_assert_eq!(read, plain(then), "version {} behind {}", version, number);
            }
            prop_assert_eq!(cold.keys(), model.values().map(|(_, keys, _)| keys).sum::<usize>());
        }
    }

    #[test]
    fn a_version_is_read_while_others_are_made(batches in prop::collection::vec(changes(), 2..12)) {
        let mut cold = cold(400, &Arc::new(AtomicUsize::new(usize::MAX)));
        let (mut model, mut batches) = (Model::new(), batches.into_iter());
        for change in batches.next().unwrap() {
            apply(&mut cold, &mut model, change).unwrap();
        }
        let first = Time::from_millis(1);
        cold.commit(first);
        let (expected, mut number) = (plain(&model), 1);
        let read = entries(&mut cold, Some(first), |cold| {
            number += 1;
            cold.sink(first).unwrap();
            for change in batches.next().unwrap_or_default() {
                apply(cold, &mut model, change).unwrap();
            }
            cold.commit(Time::from_millis(number));
        });
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn what_is_due_comes_up_once(batches in prop::collection::vec((changes(), any::<bool>()), 1..30)) {
        let mut cold = cold(400, &Arc::new(AtomicUsize::new(usize::MAX)));
        let mut model = Model::new();
        for (number, (batch, fails)) in (1i64..).zip(batches) {
            let (now, before) = (Time::from_millis(number), model.clone());
            cold.sink(Time::from_millis(number - 1)).unwrap();
            let (mut due, mut after) = (Vec::new(), None);
            loop {
                let page = cold.due(now, after, 2).unwrap();
                for (id, _) in page.records {
                    let Id::Deadline(deadline, hash) = id else { panic!("{id:?} is no deadline") };
                    due.push((deadline.milliseconds(), hash));
                    let (_, keys, _) = model.remove(&hash).expect("it is there");
                    cold.remove(hash, keys, Some(deadline)).unwrap();
                }
                after = page.last;
                if after.is_none() {
                    break;
                }
            }
            let deadlines = before.iter().filter_map(|(hash, (_, _, due))| due.map(|due| (due, *hash)));
            let mut wanted: Vec<_> = deadlines.filter(|(due, _)| *due <= number).collect();
            wanted.sort_unstable();
            prop_assert_eq!(due, wanted, "batch {}", number);
            for change in batch {
                apply(&mut cold, &mut model, change).unwrap();
            }
            if fails {
                cold.rollback();
                model = before;
            } else {
                cold.commit(now);
            }
        }
    }
}
