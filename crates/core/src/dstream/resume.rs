//! How a graph goes on where an earlier process ended: what a driver stores of it, and gives back before the first batch.
//! What is stored finds its operator by the stable id.

use super::graph::{DStreamGraph, Stateful};
use super::remember::remember_durations;
use crate::input::InputDStream;
use crate::origin::OperatorId;
use crate::state::{FieldChanges, StateTypes};
use crate::time::Time;
use crate::{Error, ErrorKind, Result};
use std::sync::OnceLock;
use std::time::Duration;

/// Times that have no batch: nobody made one while no process ran.
#[derive(Default)]
pub(super) struct SkippedBatches(OnceLock<Vec<(Time, Time)>>);

impl SkippedBatches {
    pub(super) fn has(&self, time: Time) -> bool {
        self.0.get().is_some_and(|gaps| gaps.iter().any(|(after, before)| *after < time && time < *before))
    }
}

/// An operator with state, as a driver stores it.
pub struct StatefulOperator {
    /// Its stable id.
    pub operator: OperatorId,
    /// Its kind and where it was created.
    pub place: String,
    /// What was called: `map_with_state`, ....
    pub kind: &'static str,
    /// What its state is made of.
    pub types: StateTypes,
    /// How long before a batch others ask it for what it made: its state is needed as of then.
    pub looks_back: Duration,
    /// For a window by key, how long it is.
    pub window: Option<Duration>,
    /// How many partitions its state has.
    pub partitions: usize,
}

/// An input, as a driver stores it.
pub struct InputOperator<'a> {
    /// Its stable id.
    pub operator: OperatorId,
    /// Its kind and where it was created.
    pub place: String,
    /// What was called: `direct_stream`, ....
    pub kind: &'static str,
    /// The input itself.
    pub input: &'a dyn InputDStream,
}

/// Only once started.
impl DStreamGraph {
    /// Batches up to `committed` are done, and no batch has, or will have, a time between the two of one of `gaps`. At most
    /// once, before the first batch.
    pub fn resume(&self, committed: Time, gaps: Vec<(Time, Time)>) {
        self.started().newest().replace(committed);
        let fresh = self.started().skipped.0.set(gaps);
        assert!(fresh.is_ok(), "what was skipped is known at the start");
    }
    /// The inputs of which a driver stores what batches have, with their names, in the order of creation.
    pub fn input_operators(&self) -> impl Iterator<Item = InputOperator<'_>> {
        let inputs = self.started().inputs.iter().filter(|input| !input.source.is_stored_elsewhere());
        inputs.map(|input| {
            let header = input.node.header();
            let operator = header.operator().expect("the graph has started");
            InputOperator { operator, place: header.place(), kind: header.kind, input: &*input.source }
        })
    }
    /// What the inputs say of batch `time`, to be stored before anything of it is done.
    pub fn allocations(&self, time: Time) -> Vec<(OperatorId, Vec<u8>)> {
        self.input_operators().filter_map(|of| Some((of.operator, of.input.allocation(time)?))).collect()
    }
    /// How long before a batch its operators ask the inputs for what they had.
    pub fn looks_back(&self) -> Duration {
        self.look_backs().max().unwrap_or_default()
    }
    /// For each node. How long the user has batches remembered does not count: that ends with the process.
    fn look_backs(&self) -> impl Iterator<Item = Duration> {
        let nodes = &self.started().nodes;
        let remembered = remember_durations(nodes, Duration::ZERO);
        remembered.into_iter().zip(nodes).map(|(remember, node)| remember - node.header().slide)
    }
    /// The operators with state that an output reads, parents before children.
    pub fn stateful_operators(&self) -> Vec<StatefulOperator> {
        let looks_back: Vec<Duration> = self.look_backs().collect();
        let (nodes, default_parallelism) = (&self.started().nodes, self.context().default_parallelism());
        let stateful = |of: &Stateful| {
            let header = of.node.header();
            let at = nodes.iter().position(|node| std::ptr::addr_eq(node.header(), header));
            StatefulOperator {
                operator: header.operator().expect("the graph has started"),
                place: header.place(),
                kind: header.kind,
                types: of.chain.types(),
                window: of.chain.window(),
                partitions: header.partitions().map_or(default_parallelism, |choice| choice.num_partitions()),
                looks_back: at.map_or(Duration::ZERO, |at| looks_back[at]),
            }
        };
        self.started().stateful.iter().map(stateful).collect()
    }

    /// The state of `operator` is that of an earlier process as of batch `version`; its pieces are loaded next.
    pub fn begin_restore(&self, operator: OperatorId, version: Time) -> Result<()> {
        let Stateful { node, chain } = self.stateful(operator)?;
        chain.begin_restore(self.context(), operator, version, node.header().partitions().as_ref());
        Ok(())
    }
    /// A piece of the state of `operator`. Pieces come in the order in which they were made.
    pub fn load_state(&self, operator: OperatorId, piece: &[u8]) -> Result<()> {
        self.stateful(operator)?.chain.load(piece)
    }
    /// In which fields what is stored of `operator` differs from the type that it has now, by a piece of it; none if the piece
    /// has no value.
    pub fn field_changes(&self, operator: OperatorId, piece: &[u8]) -> Result<Option<FieldChanges>> {
        self.stateful(operator)?.chain.field_changes(piece)
    }
    /// The states of `versions` are there, those that were begun as they were loaded and the others as before their first
    /// batch; all others begin empty. Batches up to `committed` are done: those that came behind a state's version are made
    /// again, for who looks back.
    pub fn end_restore(&self, committed: Time, versions: &[(OperatorId, Time)]) -> Result<()> {
        for of in &self.started().stateful {
            let id = of.node.header().operator().expect("the graph has started");
            let is_good = versions.iter().any(|(operator, _)| id == *operator);
            of.chain.end_restore(self.context(), id, is_good);
        }
        let Some(oldest) = versions.iter().map(|(_, version)| *version).min() else { return Ok(()) };
        for time in (oldest + self.batch_duration()).to(committed, self.batch_duration())? {
            for (operator, version) in versions {
                if time > *version {
                    self.stateful(*operator)?.node.generate(time)?;
                }
            }
        }
        Ok(())
    }
    /// Hands the pieces of a snapshot of the state of `operator` to `write`, with their partitions, while batches go on. The
    /// batch behind which changes must be added to it, and the first whose state comes of that; none before the first batch.
    pub fn state_image(
        &self,
        operator: OperatorId,
        write: &mut dyn FnMut(usize, Vec<u8>) -> Result<()>,
    ) -> Result<Option<(Time, Time)>> {
        self.stateful(operator)?.chain.image(write)
    }
    fn stateful(&self, operator: OperatorId) -> Result<&Stateful> {
        let known = self.started().stateful.iter().find(|of| of.node.header().operator() == Some(operator));
        known.ok_or_else(|| Error::new(ErrorKind::Internal, format!("the program has no state of {operator}")))
    }
}
