//! [`Loading`]: the states of a folder on their way into the graph that goes on with them: a snapshot, and what batches have
//! changed behind it, as far as each state needs it.

use super::driver_state::DriverState;
use super::event::{StateSnapshot, StoredOperator};
use super::plan::{Fate, UpgradePlan};
use super::record::Record;
use super::snapshots::SnapshotFolder;
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::Console;
use headwater_core::state::{FieldChanges, StateLog};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use std::collections::BTreeMap;

/// Of which batch each state is.
pub(super) type Versions = Vec<(OperatorId, Time)>;

/// A state that is loaded.
struct Restored {
    id: OperatorId,
    /// What is older was another operator's, of the same name.
    begins: Time,
    version: Time,
    /// By the first piece with a value.
    fields: Option<FieldChanges>,
    failed: Option<Error>,
}
/// All of them.
pub(super) struct Loading<'a> {
    graph: &'a DStreamGraph,
    left: &'a DriverState,
    operators: BTreeMap<&'static str, Restored>,
    /// States of which nothing is as old as others look back: they are made again from their first batch on.
    from_first: Vec<(OperatorId, Time)>,
}

impl<'a> Loading<'a> {
    pub(super) fn of(
        graph: &'a DStreamGraph,
        left: &'a DriverState,
        committed: Time,
        operators: &[StoredOperator],
        plan: &UpgradePlan,
    ) -> Loading<'a> {
        let since = |id: &str| operators.iter().find(|of| of.id == id).map_or(committed, |of| of.since.into());
        let mut loading = Loading { graph, left, operators: BTreeMap::new(), from_first: Vec::new() };
        for of in graph.stateful_operators() {
            let (name, begins): (_, Time) = (of.operator.as_str(), since(of.operator.as_str()));
            // Behind the version, batches are made again for who looks back.
            let version = (committed - of.looks_back).max(begins);
            if !matches!(plan.fate_of(name), Some(Fate::Kept | Fate::Migrated)) {
                continue;
            }
            if version > begins {
                loading
                    .operators
                    .insert(name, Restored { id: of.operator, begins, version, fields: None, failed: None });
            } else {
                loading.from_first.push((of.operator, version));
            }
        }
        loading
    }
    /// What came of it, in the plan.
    pub(super) fn tell(&self, plan: &mut UpgradePlan) {
        let fields = self.operators.values().filter_map(|of| Some((of.id, of.fields.as_ref()?)));
        fields.for_each(|(id, fields)| plan.tell_fields(id.as_str(), fields));
        let failed = self.operators.values().filter_map(|of| Some((of.id, of.failed.as_ref()?)));
        failed.for_each(|(id, error)| plan.refuse(id.as_str(), error));
    }
    pub(super) fn versions(&self) -> Versions {
        let good = self.operators.values().filter(|of| of.failed.is_none());
        good.map(|of| (of.id, of.version)).chain(self.from_first.iter().copied()).collect()
    }
    /// All states are empty, and begin to be loaded.
    fn begin(&mut self) -> Result<()> {
        self.operators.values_mut().for_each(|of| of.failed = None);
        self.operators.values().try_for_each(|of| self.graph.begin_restore(of.id, of.version))
    }
    /// Loads the newest snapshot that can be used and is whole.
    pub(super) fn load_snapshot(
        &mut self,
        folder: &SnapshotFolder,
        console: &dyn Console,
    ) -> Result<Option<StateSnapshot>> {
        let oldest: Option<Time> = self.operators.values().map(|of| of.version).min();
        let Some(oldest) = oldest else { return Ok(None) };
        let usable = |snapshot: &&StateSnapshot| Time::from(snapshot.until) <= oldest;
        let mut candidates: Vec<&StateSnapshot> = self.left.snapshots.iter().filter(usable).collect();
        candidates.sort_by_key(|snapshot| snapshot.until);
        for snapshot in candidates.into_iter().rev() {
            self.begin()?;
            let since: Time = snapshot.since.into();
            let loaded = folder.read(snapshot, |record| {
                if let Some(of) = self.operators.get_mut(record.operator).filter(|of| of.begins <= since) {
                    load(self.graph, of, record);
                }
                Ok(())
            });
            match loaded {
                Ok(()) => return Ok(Some(snapshot.clone())),
                Err(error) if error.kind() == ErrorKind::Data => {
                    console.warn(&format!("{error}; an older snapshot and the changes behind it are read instead"));
                }
                Err(error) => return Err(error),
            }
        }
        // A log that was trimmed goes on behind a snapshot; without one the changes alone are no state.
        if self.left.first_changes > 1 {
            let message = "no snapshot of the states is whole, and the changes before them are gone; was the folder copied in \
                           part? Restore it from a copy";
            return Err(Error::new(ErrorKind::Data, message));
        }
        self.begin()?;
        Ok(None)
    }
    /// Loads what a batch has changed, if it counts.
    pub(super) fn load_change(&mut self, log: StateLog, record: &Record, from: Option<&StateSnapshot>) -> Result<()> {
        let Some(of) = self.operators.get_mut(record.operator) else { return Ok(()) };
        let Some((after, until)) = self.left.valid_times(record.epoch) else { return Ok(()) };
        let in_snapshot = log == StateLog::Changes && from.is_some_and(|from| record.time <= Time::from(from.since));
        let counts = record.time > after && record.time <= until.min(of.version) && record.time > of.begins;
        if counts && !in_snapshot {
            load(self.graph, of, record);
        }
        Ok(())
    }
}

fn load(graph: &DStreamGraph, of: &mut Restored, record: &Record) {
    if of.failed.is_some() {
        return;
    }
    let mut load = || {
        if of.fields.is_none() {
            of.fields = graph.field_changes(of.id, record.piece)?;
        }
        graph.load_state(of.id, record.piece)
    };
    of.failed = load().err();
}
