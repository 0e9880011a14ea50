//! [`Wire`]: what stands for the network between the driver and its workers. It holds bytes only.

use super::message::Message;
use headwater_core::item::{ItemId, ItemScope};
use headwater_core::rdd::{Stop, TaskContext};
use headwater_core::time::Time;
use headwater_core::transport::{InputPartition, Role, Transport};
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Values of batches (results of actions inside `transform`, broadcasts) that are held at most. Behind the limit those of
/// the oldest batches go; a task that needs one of them fails with an error that says so.
const BATCH_VALUES_MAX: usize = 100_000;

/// The network.
#[derive(Default)]
pub(super) struct Wire {
    state: Mutex<State>,
}
#[derive(Default)]
struct State {
    /// By shuffle and map task: a bucket for each reduce partition.
    buckets: HashMap<ItemId, BTreeMap<usize, Vec<Arc<[u8]>>>>,
    /// The batches of inputs that the driver offers.
    inputs: HashMap<(OperatorId, Time), Option<(usize, InputPartition)>>,
    program_values: HashMap<ItemId, Arc<[u8]>>,
    /// The oldest batch first.
    batch_values: BTreeMap<(Time, ItemId), Arc<[u8]>>,
    workers: Vec<Sender<Message>>,
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn set_workers(&self, workers: Vec<Sender<Message>>) {
        self.lock().workers = workers;
    }
    /// Hangs up on the workers, which end then.
    pub(super) fn hang_up(&self) {
        self.lock().workers.clear();
    }
    pub(super) fn num_workers(&self) -> usize {
        self.lock().workers.len()
    }
    /// Whether the worker with this number, counted around, was there to take the message.
    pub(super) fn send(&self, number: usize, message: Message) -> bool {
        let worker = {
            let state = self.lock();
            if state.workers.is_empty() {
                return false;
            }
            state.workers[number % state.workers.len()].clone()
        };
        worker.send(message).is_ok()
    }
}

/// One process's end.
pub(super) struct Connection {
    pub(super) wire: Arc<Wire>,
    pub(super) role: Role,
}

fn batch_of(item: ItemId) -> Option<Time> {
    match item.scope {
        ItemScope::Batch(_, time) => Some(time),
        ItemScope::Program | ItemScope::Process => None,
    }
}

impl Transport for Connection {
    fn role(&self) -> Role {
        self.role
    }

    fn put_buckets(&self, shuffle: ItemId, map: usize, buckets: Vec<Vec<u8>>) {
        let buckets = buckets.into_iter().map(Arc::from).collect();
        self.wire.lock().buckets.entry(shuffle).or_default().insert(map, buckets);
    }
    fn buckets(&self, shuffle: ItemId, maps: usize, reduce: usize) -> Result<Vec<Vec<u8>>, Stop> {
        let state = self.wire.lock();
        let known = state.buckets.get(&shuffle);
        let bucket = |map| known.and_then(|known| known.get(&map)?.get(reduce)).map(|bytes| bytes.to_vec());
        (0..maps).map(|map| bucket(map).ok_or(Stop::Lost)).collect()
    }
    fn missing_maps(&self, shuffle: ItemId, maps: usize) -> Vec<usize> {
        let state = self.wire.lock();
        let known = state.buckets.get(&shuffle);
        (0..maps).filter(|map| !known.is_some_and(|known| known.contains_key(map))).collect()
    }
    fn forget_shuffle(&self, shuffle: ItemId) {
        let _forgotten = self.wire.lock().buckets.remove(&shuffle);
    }

    fn offer_input(&self, input: OperatorId, time: Time, partitions: Option<(usize, InputPartition)>) {
        self.wire.lock().inputs.insert((input, time), partitions);
    }
    fn forget_input(&self, input: OperatorId, time: Time) {
        let _forgotten = self.wire.lock().inputs.remove(&(input, time));
    }
    fn input_partitions(&self, input: OperatorId, time: Time) -> Result<Option<usize>> {
        let state = self.wire.lock();
        let known = state.inputs.get(&(input, time)).ok_or_else(|| gone(input, time))?;
        Ok(known.as_ref().map(|(partitions, _)| *partitions))
    }
    fn input_partition(&self, input: OperatorId, time: Time, partition: usize) -> Result<Vec<u8>> {
        let make = match self.wire.lock().inputs.get(&(input, time)) {
            Some(Some((_, make))) => make.clone(),
            _ => return Err(gone(input, time)),
        };
        // The driver's part of a conversation: it runs a job of its own, though on this worker's thread, which therefore
        // must not be sent any of its tasks.
        let _serving = Serving::begin();
        TaskContext::outside_of_tasks(|| make(partition))
    }

    fn put_value(&self, item: ItemId, value: Vec<u8>) {
        let mut state = self.wire.lock();
        match batch_of(item) {
            None => drop(state.program_values.insert(item, value.into())),
            Some(time) => {
                state.batch_values.insert((time, item), value.into());
                if state.batch_values.len() > BATCH_VALUES_MAX {
                    state.batch_values.pop_first();
                }
            }
        }
    }
    fn value(&self, item: ItemId) -> Result<Vec<u8>> {
        let state = self.wire.lock();
        let known = match batch_of(item) {
            None => state.program_values.get(&item),
            Some(time) => state.batch_values.get(&(time, item)),
        };
        known.map(|value| value.to_vec()).ok_or_else(|| {
            Error::program(format!(
                "a worker's program asks for a value that the driver's has not made ({item:?}): both must make the \
                 same datasets, broadcasts and actions in the same order"
            ))
        })
    }

    fn clear_metadata(&self, done: Time, forgotten: Time) {
        let workers = {
            let mut state = self.wire.lock();
            let kept = |time: Time| time > forgotten;
            state.inputs.retain(|(_, time), partitions| partitions.is_some() || kept(*time));
            state.batch_values.retain(|(time, _), _| kept(*time));
            state.workers.clone()
        };
        // A worker that is gone has nothing to clear.
        workers.iter().for_each(|worker| drop(worker.send(Message::ClearMetadata(done))));
    }
}

thread_local! {
    static SERVING: Cell<bool> = const { Cell::new(false) };
}
/// While it lives, this worker's thread does the driver's work.
struct Serving;
impl Serving {
    fn begin() -> Serving {
        SERVING.set(true);
        Serving
    }
}
impl Drop for Serving {
    fn drop(&mut self) {
        SERVING.set(false);
    }
}
/// Whether this thread is a worker's that waits for the driver's work, which it does itself.
pub(super) fn worker_waits() -> bool {
    SERVING.get()
}

fn gone(input: OperatorId, time: Time) -> Error {
    Error::new(ErrorKind::Internal, format!("the batch {time} of input {input} is not offered any more"))
}
