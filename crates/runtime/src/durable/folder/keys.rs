//! [`Keys`]: which write of each key of a state counts, found out while its records are read: the last one. Holds no states.

use super::StateSize;
use headwater_core::state::StateItem;
use std::collections::{HashMap, HashSet};

/// What is known of an operator's keys while its records are read.
#[derive(Default)]
pub(super) struct Keys {
    /// Where each state was written last, and how many bytes it has.
    states: HashMap<Vec<u8>, Written>,
    of_values: HashSet<Vec<u8>>,
    values: u64,
    value_bytes: u64,
    /// Items so far.
    items: u64,
}
struct Written {
    item: u64,
    bytes: usize,
}

impl Keys {
    pub(super) fn take(&mut self, item: StateItem<&[u8], &[u8]>) {
        self.items += 1;
        match item {
            StateItem::Removed(key) => drop(self.states.remove(key)),
            StateItem::Entry { key, state, .. } => self.written(key, state),
            StateItem::Left(key, total) => self.written(key, total),
            StateItem::Batch(_) => {}
            StateItem::Value(key, value) => {
                self.values += 1;
                self.value_bytes += (key.len() + value.len()) as u64;
                if !self.of_values.contains(key) {
                    self.of_values.insert(key.to_vec());
                }
            }
        }
    }
    /// Whether item `item`, which is about this key, is the last that is.
    pub(super) fn is_last(&self, key: &[u8], item: u64) -> bool {
        self.states.get(key).is_some_and(|written| written.item == item)
    }
    fn written(&mut self, key: &[u8], state: &[u8]) {
        let written = Written { item: self.items, bytes: state.len() };
        match self.states.get_mut(key) {
            Some(known) => *known = written,
            None => drop(self.states.insert(key.to_vec(), written)),
        }
    }
    pub(super) fn size(&self, operator: &str) -> StateSize {
        let only_values = self.of_values.iter().filter(|key| !self.states.contains_key(*key)).count();
        let state_bytes = self.states.iter().map(|(key, written)| (key.len() + written.bytes) as u64).sum::<u64>();
        StateSize {
            operator: operator.to_owned(),
            keys: (self.states.len() + only_values) as u64,
            values: self.values,
            bytes: state_bytes + self.value_bytes,
        }
    }
}
