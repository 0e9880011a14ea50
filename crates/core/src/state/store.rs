//! [`StateStore`]: where the changes of keyed state go so that they outlive the process, and [`Loader`], which makes state
//! of what was stored. The driver writes what a batch handed over before it commits the batch.

use super::fields::FieldChanges;
use super::items::{StateItem, StateItems};
use super::stage::PartitionState;
use crate::origin::OperatorId;
use crate::time::Time;
use crate::{Data, Error, Key, Result, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

/// What a piece of state is part of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StateLog {
    /// What changed with a batch; a snapshot takes its place.
    Changes,
    /// What entered windows with a batch; it is needed until it has left them.
    Windows,
}

/// A piece of what a batch has done to the state of an operator.
#[derive(Debug)]
pub struct StateChange {
    /// The operator.
    pub operator: OperatorId,
    /// The partition.
    pub partition: usize,
    /// The batch.
    pub time: Time,
    /// What it is part of.
    pub log: StateLog,
    /// Read by [`StateItems`].
    pub piece: Vec<u8>,
}

/// Takes the changes of durable states.
pub trait StateStore: Send + Sync {
    /// Takes over what a task has made of a partition, in order, once per batch and partition. Called by the task; an error
    /// is reported when the batch is committed.
    fn put(&self, changes: Vec<StateChange>);
}

/// The store of one operator's state.
#[derive(Clone)]
pub(crate) struct OperatorStore {
    pub(super) store: Arc<dyn StateStore>,
    pub(super) operator: OperatorId,
    /// Of the state's type.
    pub(super) version: u32,
}
impl OperatorStore {
    pub(crate) fn new(store: Arc<dyn StateStore>, operator: OperatorId, version: u32) -> OperatorStore {
        OperatorStore { store, operator, version }
    }
    pub(super) fn put(&self, partition: usize, time: Time, pieces: Vec<(StateLog, Vec<u8>)>) {
        let OperatorStore { store, operator, .. } = self;
        let change = |(log, piece)| StateChange { operator: *operator, partition, time, log, piece };
        if !pieces.is_empty() {
            store.put(pieces.into_iter().map(change).collect());
        }
    }
}

/// What the state of an operator is made of, for who compares programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateTypes {
    /// The name of the key's type in the program.
    pub key: String,
    /// The name of the type of states, or of the values of a window.
    pub value: String,
    /// How many versions of it there were before.
    pub version: u32,
}

/// Makes the state of partitions of what was stored.
pub(crate) trait Loader<S: PartitionState>: Send + Sync {
    fn types(&self) -> StateTypes;
    /// For a window, how long it is.
    fn window(&self) -> Option<Duration> {
        None
    }
    /// In which fields the values of `piece` and the program's type differ; none if it has no value.
    fn field_changes(&self, piece: &[u8]) -> Result<Option<FieldChanges>>;
    /// Takes over a piece; pieces come in the order in which they were made. `partition` says where a key belongs.
    fn load(&self, partitions: &mut [S], partition: &dyn Fn(&S::Key) -> usize, piece: &[u8]) -> Result<()>;
}

/// Reads an item of an older version of the program.
type Migration<K, V> = Box<dyn Fn(&mut StateItems<'_>) -> Result<Option<StateItem<K, V>>> + Send + Sync>;

/// The older versions of a state's type, oldest first, and how their values become what they are now.
pub(crate) struct Migrations<K, V> {
    older: Vec<Migration<K, V>>,
    /// Whether keys have time-outs; if not, those that are stored are forgotten.
    pub(super) times_out: bool,
}

impl<K, V> Default for Migrations<K, V> {
    fn default() -> Self {
        Migrations { older: Vec::new(), times_out: true }
    }
}

impl<K: Key, V: Data> Migrations<K, V> {
    /// One more older version, newer than those before it.
    pub(crate) fn add<Old: DeserializeOwned + 'static>(&mut self, migrate: impl Fn(Old) -> V + Send + Sync + 'static) {
        self.older.push(Box::new(move |items| {
            Ok(items.next_item::<K, Old>()?.map(|item| match item {
                StateItem::Removed(key) => StateItem::Removed(key),
                StateItem::Entry { key, state, timeout, timer } => {
                    StateItem::Entry { key, state: migrate(state), timeout, timer }
                }
                StateItem::Batch(time) => StateItem::Batch(time),
                StateItem::Value(key, value) => StateItem::Value(key, migrate(value)),
                StateItem::Left(key, total) => StateItem::Left(key, migrate(total)),
            }))
        }));
    }
    /// The program has no time-out, now.
    pub(crate) fn without_timeouts(self) -> Self {
        Migrations { times_out: false, ..self }
    }
    pub(crate) fn types(&self) -> StateTypes {
        let (key, value) = (type_name::<K>().to_owned(), type_name::<V>().to_owned());
        StateTypes { key, value, version: self.older.len() as u32 }
    }
    /// Of a piece of this version; an older one has a migration.
    pub(super) fn field_changes(&self, piece: &[u8]) -> Result<Option<FieldChanges>> {
        let is_older = (StateItems::new(piece)?.version() as usize) < self.older.len();
        if is_older { Ok(None) } else { FieldChanges::of::<V>(piece) }
    }
    /// Calls `each` with the items of `piece`, as they are now.
    pub(super) fn each(&self, piece: &[u8], mut each: impl FnMut(StateItem<K, V>) -> Result<()>) -> Result<()> {
        let mut items = StateItems::new(piece)?;
        let version = items.version() as usize;
        if version > self.older.len() {
            return Err(Error::program(format!(
                "the state was written by version {version} of the program, and this one has migrations up to version \
                 {}: start the newer program",
                self.older.len()
            )));
        }
        let migration = self.older.get(version);
        loop {
            let item = match migration {
                None => items.next_item::<K, V>()?,
                Some(migrate) => migrate(&mut items)?,
            };
            match item {
                Some(item) => each(item)?,
                None => return Ok(()),
            }
        }
    }
}

/// A value of the state's type as it would be stored, and back: a type that changes on the way is told before the first
/// batch that has it is committed.
pub(super) fn check_reads_back<T: Serialize + DeserializeOwned + 'static>(value: &T) -> Result<()> {
    let (mut bytes, mut again) = (Vec::new(), Vec::new());
    codec::write(value, &mut bytes)?;
    let back = codec::read::<T>(&mut &bytes[..]);
    let same = back.and_then(|back| codec::write(&back, &mut again)).is_ok();
    // A map has no order, but as many bytes.
    if same && again.len() == bytes.len() {
        return Ok(());
    }
    Err(Error::program(format!(
        "the bytes of {} do not read back, so it cannot be kept as durable state: its Serialize and Deserialize must agree in \
         a format with field names",
        type_name::<T>()
    )))
}
