//! [`WindowLoader`]: how a window by key is made again, behind a restart, of what batches brought into it.

use super::{WindowState, Windowing};
use crate::state::FieldChanges;
use crate::state::items::StateItem;
use crate::state::stage::PartitionState;
use crate::state::store::{Loader, Migrations, StateTypes};
use crate::time::Time;
use crate::{Data, Error, Key, Result as Fallible};
use std::sync::Arc;
use std::time::Duration;

/// Lets what was in the window enter it again, oldest first, which makes all aggregates anew; what has left it since goes
/// with the next batch.
pub(crate) struct WindowLoader<W> {
    pub(crate) windowing: Arc<W>,
    pub(crate) length: Duration,
}

impl<K: Key, V: Data, W: Windowing<V>> Loader<WindowState<K, V, W>> for WindowLoader<W> {
    fn types(&self) -> StateTypes {
        Migrations::<K, V>::default().types()
    }
    fn field_changes(&self, piece: &[u8]) -> Fallible<Option<FieldChanges>> {
        Migrations::<K, V>::default().field_changes(piece)
    }
    fn window(&self) -> Option<Duration> {
        Some(self.length)
    }
    fn load(
        &self,
        partitions: &mut [WindowState<K, V, W>],
        partition: &dyn Fn(&K) -> usize,
        piece: &[u8],
    ) -> Fallible<()> {
        Migrations::<K, V>::default().each(piece, |item| {
            match item {
                StateItem::Batch(time) => partitions.iter_mut().for_each(|state| state.begin_batch(time)),
                StateItem::Value(key, value) => {
                    let WindowState { keys, ring, .. } = &mut partitions[partition(&key)];
                    let hash = keys.hash(&key);
                    ring.enter(&*self.windowing, keys, hash, key, value);
                }
                StateItem::Left(key, total) => {
                    let keys = &mut partitions[partition(&key)].keys;
                    let hash = keys.hash(&key);
                    match (W::left(total), keys.find(hash, &key)) {
                        (Some(entry), None) => drop(keys.insert(hash, key, entry)),
                        (Some(entry), Some(slot)) if W::is_empty(&keys.entry(slot).1) => keys.replace(slot, entry),
                        _ => {}
                    }
                }
                StateItem::Removed(_) | StateItem::Entry { .. } => {
                    return Err(Error::program("what is stored is the state of keys, and the operator is a window"));
                }
            }
            Ok(())
        })?;
        let restored = Time::from_millis(i64::MIN);
        partitions.iter_mut().for_each(|state| state.commit(restored, restored));
        Ok(())
    }
}

impl<K: Key, V: Data, W: Windowing<V>> WindowState<K, V, W> {
    /// Batch `time` enters, unless it has begun to: its values come in several pieces.
    fn begin_batch(&mut self, time: Time) {
        if self.ring.batches.back().is_none_or(|(newest, _)| *newest != time) {
            self.ring.batches.push_back((time, Vec::new()));
        }
    }
}
