//! `headwater checkpoint show`.

use crate::failure::Failure;
use crate::people::{size, span, table, when};
use crate::{place, show_json};
use headwater::checkpoint::{BatchTimes, CheckpointEvent, CheckpointOverview, OpenBatch, PartSize, StateSize};
use headwater::system_env;
use serde_json::json;
use std::io::{self, Write};

/// Batches that are listed of those that would run again.
const LISTED_MAX: usize = 20;

/// All that is shown.
pub(crate) struct Shown {
    pub(crate) folder: String,
    pub(crate) overview: CheckpointOverview,
    pub(crate) states: Vec<StateSize>,
    pub(crate) sizes: Vec<PartSize>,
    /// How long the newest batch is ago.
    pub(crate) behind: std::time::Duration,
}

pub(crate) fn show(folder: &str, json: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let looked = place::look(folder)?;
    let overview = looked.overview();
    let now = system_env().clock.now();
    let behind = overview.batches.map(|batches| now - batches.allocated).unwrap_or_default();
    let (states, sizes) = (looked.state_sizes()?, looked.sizes()?);
    let shown = Shown { folder: looked.path().to_owned(), overview, states, sizes, behind };
    if json {
        writeln!(out, "{:#}", show_json::of(&shown))?;
    } else {
        shown.for_people(out)?;
    }
    Ok(0)
}

pub(crate) fn events(folder: &str, json: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    for event in place::look(folder)?.events()? {
        if json {
            let CheckpointEvent { segment, offset, name, what } = event;
            writeln!(out, "{}", json!({"segment": segment, "offset": offset, "event": name, "what": what}))?;
        } else {
            writeln!(out, "{event}")?;
        }
    }
    Ok(0)
}

impl Shown {
    fn for_people(&self, out: &mut dyn Write) -> io::Result<()> {
        let overview = &self.overview;
        let mut facts = vec![("folder", self.folder.clone()), ("application", overview.application.clone())];
        match &overview.batches {
            None => facts.push(("batches", "none yet: no process has begun".to_owned())),
            Some(batches) => self.batches(batches, &mut facts),
        }
        facts.extend(overview.owner.iter().map(|owner| ("taken by", owner.clone())));
        facts.extend(overview.unfinished_snapshot.map(|number| ("unfinished snapshot", number.to_string())));
        facts.extend(overview.warnings.iter().map(|warning| ("warning", warning.clone())));
        for (name, value) in facts {
            writeln!(out, "{name:20} {value}")?;
        }
        self.open_batches(out)?;
        let processes = overview.processes.iter().map(|of| vec![of.epoch.to_string(), when(of.began_behind)]);
        table(out, &[">process", "began behind"], &processes.collect::<Vec<_>>())?;
        let gaps = overview.gaps.iter().map(|gap| vec![when(gap.after), when(gap.before)]);
        table(out, &["no batches behind", "and before"], &gaps.collect::<Vec<_>>())?;
        self.operators(out)?;
        let snapshots = overview.snapshots.iter().map(|of| {
            vec![
                of.number.to_string(),
                of.since.to_string(),
                of.until.to_string(),
                of.records.to_string(),
                size(of.bytes),
            ]
        });
        table(out, &[">snapshot", ">since", ">until", ">records", ">size"], &snapshots.collect::<Vec<_>>())?;
        let sizes = self.sizes.iter().map(|of| vec![of.part.clone(), of.files.to_string(), size(of.bytes)]);
        table(out, &["part", ">files", ">size"], &sizes.collect::<Vec<_>>())
    }
    fn batches(&self, batches: &BatchTimes, facts: &mut Vec<(&str, String)>) {
        facts.push(("batch interval", span(batches.interval)));
        facts.push(("zero time", when(batches.zero)));
        facts.push(("newest allocated", when(batches.allocated)));
        facts.push(("newest committed", when(batches.committed)));
        let due = self.behind.as_millis() / batches.interval.as_millis().max(1);
        facts.push(("behind the clock", format!("{}, {due} batches", span(self.behind))));
    }
    fn open_batches(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = Vec::new();
        for OpenBatch { time, inputs } in self.overview.open_batches.iter().take(LISTED_MAX) {
            let mut time = when(*time);
            for input in inputs {
                rows.push(vec![std::mem::take(&mut time), input.operator.clone(), input.allocation.to_string()]);
            }
            if !time.is_empty() {
                rows.push(vec![time, String::new(), "nothing".to_owned()]);
            }
        }
        table(out, &["would run again", "input", "has"], &rows)?;
        match self.overview.open_batches.len().saturating_sub(LISTED_MAX) {
            0 => Ok(()),
            more => writeln!(out, "and {more} more; --json has them all"),
        }
    }
    fn operators(&self, out: &mut dyn Write) -> io::Result<()> {
        let (mut inputs, mut types, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for of in &self.overview.operators {
            let (id, place, since) = (of.id.clone(), of.place.clone(), of.since.to_string());
            let Some(state) = &of.state else {
                inputs.push(vec![id, since, place]);
                continue;
            };
            types.push(vec![id.clone(), state.version.to_string(), state.key.clone(), state.value.clone(), place]);
            let count = self.states.iter().find(|size| size.operator == id).cloned().unwrap_or_default();
            let values = if count.values > 0 { count.values.to_string() } else { "-".to_owned() };
            counts.push(vec![id, since, count.keys.to_string(), values, size(count.bytes)]);
        }
        table(out, &["input", ">since", "place"], &inputs)?;
        table(out, &["state", ">version", "key", "value", "place"], &types)?;
        table(out, &["state", ">since", ">keys", ">values in window", ">size"], &counts)
    }
}
