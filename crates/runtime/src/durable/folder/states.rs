//! What the states in a checkpoint folder hold: the newest usable snapshot and the changes behind it, read as a recovery
//! reads them. The last write of a key counts; keys are the same if their bytes are.

use super::super::event::StateSnapshot;
use super::super::record::Record;
use super::super::snapshots::SnapshotFolder;
use super::super::state_logs::read_log;
use super::CheckpointFolder;
use super::keys::Keys;
use headwater_core::state::{StateItem, StateItems, StateLog};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// How much an operator's state holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StateSize {
    /// The operator's id.
    pub operator: String,
    /// Keys that have state, or a value in the log of a window.
    pub keys: u64,
    /// Of a window: values in its log, also of batches that have left the window and are not trimmed yet.
    pub values: u64,
    /// Bytes of keys and states, or values, as they are stored.
    pub bytes: u64,
}

/// Something that a state holds. `K` and `V` are the types of the program, or any that read the bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoredItem<K, V> {
    /// The state of a key.
    Entry {
        /// The key.
        key: K,
        /// Its state.
        state: V,
        /// When it times out, if it does.
        timeout: Option<Time>,
        /// When its timer fires, if there is one.
        timer: Option<Time>,
    },
    /// A value that entered a window.
    Value {
        /// Its key.
        key: K,
        /// The value.
        value: V,
        /// The batch with which it entered.
        batch: Time,
    },
    /// A key that a window keeps though no value of it is inside, and its aggregate then.
    Left {
        /// The key.
        key: K,
        /// Its aggregate.
        total: V,
    },
}

impl CheckpointFolder {
    /// How much each state holds as of the newest committed batch, in the order of the program. Takes memory for all keys,
    /// not for their states. See [`CheckpointFolder`] for an example.
    pub fn state_sizes(&self) -> Result<Vec<StateSize>> {
        self.reading(|now| {
            let (_, keys) = now.keys(&|_| true)?;
            Ok(now
                .stateful()
                .map(|id| keys.get(id).map_or_else(|| Keys::default().size(id), |of| of.size(id)))
                .collect())
        })
    }

    /// Gives `each` all that the state of `operator` holds as of the newest committed batch, in the order in which it was
    /// written last. Reads twice, and takes memory for the keys, not for their states. An error of the kind `Program` names
    /// the operators that there are; one of the kind `Data` may come in the middle, where the process that runs there
    /// removes what was about to be read.
    ///
    /// ```
    /// use headwater::checkpoint::{CheckpointFolder, StoredItem};
    /// use headwater::{prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let conf = Conf::new().master("local[1]").checkpoint_dir("run");
    /// let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
    /// let numbers = ssc.rate_stream(10, 1, |n| (n % 2, 1u64));
    /// let counts = numbers.update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.len() as u64));
    /// counts.uid("counts").print();
    /// let running = ssc.start()?;
    /// env.clock.advance(seconds(3));
    /// running.await_batches(3)?;
    /// running.stop()?;
    ///
    /// let mut counts = Vec::new();
    /// CheckpointFolder::look(env.storage.clone(), "run")?.each_stored::<u64, u64>("counts", |item| {
    ///     if let StoredItem::Entry { key, state, .. } = item {
    ///         counts.push((key, state));
    ///     }
    ///     Ok(())
    /// })?;
    /// counts.sort();
    /// assert_eq!(counts, [(0, 15), (1, 15)]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn each_stored<K: DeserializeOwned, V: DeserializeOwned>(
        &self,
        operator: &str,
        mut each: impl FnMut(StoredItem<K, V>) -> Result<()>,
    ) -> Result<()> {
        if self.stateful().all(|id| id != operator) {
            let known: Vec<&str> = self.stateful().collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Error::program(format!(
                "{} has no state of an operator {operator:?}; those that have one: {known}",
                self.path
            )));
        }
        // What is read twice is as of one moment.
        let (now, snapshot, keys) = self.reading(|now| {
            let (snapshot, mut keys) = now.keys(&|id| id == operator)?;
            Ok((now.clone(), snapshot, keys.remove(operator).unwrap_or_default()))
        })?;
        let (mut items, mut batch) = (0, Time::from_millis(0));
        let mut take = |_: &str, item: StateItem<&[u8], &[u8]>| {
            items += 1;
            match &item {
                StateItem::Removed(_) => return Ok(()),
                StateItem::Entry { key, .. } | StateItem::Left(key, _) if !keys.is_last(key, items) => return Ok(()),
                StateItem::Batch(time) => {
                    batch = *time;
                    return Ok(());
                }
                _ => {}
            }
            each(match item.decode::<K, V>()? {
                StateItem::Entry { key, state, timeout, timer } => StoredItem::Entry { key, state, timeout, timer },
                StateItem::Value(key, value) => StoredItem::Value { key, value, batch },
                StateItem::Left(key, total) => StoredItem::Left { key, total },
                StateItem::Removed(_) | StateItem::Batch(_) => return Ok(()),
            })
        };
        if let Some(snapshot) = &snapshot {
            now.read_snapshot(snapshot, &|id| id == operator, &mut take)?;
        }
        now.read_changes(snapshot.as_ref(), &|id| id == operator, &mut take)
    }

    /// The ids of operators with state.
    fn stateful(&self) -> impl Iterator<Item = &str> {
        self.state.operators.iter().filter(|of| of.state.is_some()).map(|of| of.id.as_str())
    }
    fn committed(&self) -> Time {
        self.state.grid.map_or(Time::from_millis(0), |grid| grid.committed.into())
    }
    /// The keys of the wanted operators, and the snapshot that they were read from.
    fn keys(&self, wanted: &dyn Fn(&str) -> bool) -> Result<(Option<StateSnapshot>, BTreeMap<String, Keys>)> {
        let usable = |snapshot: &&StateSnapshot| Time::from(snapshot.until) <= self.committed();
        let mut snapshots: Vec<Option<&StateSnapshot>> = self.state.snapshots.iter().filter(usable).map(Some).collect();
        snapshots.sort_by_key(|snapshot| snapshot.map(|snapshot| snapshot.until));
        snapshots.insert(0, None);
        let mut damage = None;
        for snapshot in snapshots.into_iter().rev() {
            let mut keys: BTreeMap<String, Keys> = BTreeMap::new();
            let mut take = |id: &str, item: StateItem<&[u8], &[u8]>| {
                match keys.get_mut(id) {
                    Some(keys) => keys.take(item),
                    None => keys.entry(id.to_owned()).or_default().take(item),
                }
                Ok(())
            };
            match snapshot.map_or(Ok(()), |snapshot| self.read_snapshot(snapshot, wanted, &mut take)) {
                // The changes alone would be half a state.
                Ok(()) if snapshot.is_none() && self.state.first_changes > 1 && damage.is_some() => break,
                Ok(()) => {
                    self.read_changes(snapshot, wanted, &mut take)?;
                    return Ok((snapshot.cloned(), keys));
                }
                Err(error) if error.kind() == ErrorKind::Data => damage = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(damage.unwrap_or_else(|| Error::new(ErrorKind::Internal, "a state without beginning")))
    }

    fn read_snapshot(
        &self,
        snapshot: &StateSnapshot,
        wanted: &dyn Fn(&str) -> bool,
        take: &mut dyn FnMut(&str, StateItem<&[u8], &[u8]>) -> Result<()>,
    ) -> Result<()> {
        let since = Time::from(snapshot.since);
        self.snapshot_folder().read(snapshot, |record| match self.begins(record.operator) {
            Some(begins) if begins <= since && wanted(record.operator) => each_item(record, take),
            _ => Ok(()),
        })
    }
    /// Reads what batches have changed, as far as it counts.
    fn read_changes(
        &self,
        snapshot: Option<&StateSnapshot>,
        wanted: &dyn Fn(&str) -> bool,
        take: &mut dyn FnMut(&str, StateItem<&[u8], &[u8]>) -> Result<()>,
    ) -> Result<()> {
        for (at, first) in [self.state.first_changes, self.state.first_windows].into_iter().enumerate() {
            let of = (self.application.as_str(), u64::MAX, first);
            read_log(
                &self.storage,
                &format!("{}/state", self.path),
                of,
                (at, self.state.log_ends[at]),
                &mut |log, record, _| {
                    let Some(begins) = self.begins(record.operator) else { return Ok(()) };
                    let Some((after, until)) = self.state.valid_times(record.epoch) else { return Ok(()) };
                    let in_snapshot =
                        log == StateLog::Changes && snapshot.is_some_and(|from| record.time <= Time::from(from.since));
                    let until = until.min(self.committed());
                    let counts = record.time > after && record.time <= until && record.time > begins && !in_snapshot;
                    if counts && wanted(record.operator) { each_item(record, take) } else { Ok(()) }
                },
            )?;
        }
        Ok(())
    }
    /// The batch behind which the operator's state began.
    fn begins(&self, operator: &str) -> Option<Time> {
        let stored = self.state.operators.iter().find(|of| of.id == operator && of.state.is_some())?;
        Some(stored.since.into())
    }
    pub(super) fn snapshot_folder(&self) -> SnapshotFolder {
        let (storage, path) = (self.storage.clone(), format!("{}/state/snapshots", self.path));
        SnapshotFolder { storage, path, application: self.application.clone(), epoch: u64::MAX }
    }
}

fn each_item(record: &Record, take: &mut dyn FnMut(&str, StateItem<&[u8], &[u8]>) -> Result<()>) -> Result<()> {
    let within = |error: Error| error.within(format!("the state of {}, batch {}", record.operator, record.time));
    let mut items = StateItems::new(record.piece).map_err(within)?;
    while let Some(item) = items.next_encoded().map_err(within)? {
        take(record.operator, item)?;
    }
    Ok(())
}
