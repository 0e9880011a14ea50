//! [`UpgradePlan`]: what becomes of what is stored when this program goes on with it, operator by operator. It is made before
//! anything runs.

use super::driver_state::DriverState;
use super::event::{StoredOperator, StoredTypes};
use headwater_core::dstream::DStreamGraph;
use headwater_core::state::FieldChanges;
use headwater_core::time::DurationExt;
use headwater_core::{Error, Result};
use std::fmt;
use std::time::Duration;

/// What becomes of an operator's state, or of what an input still has to deliver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It goes on.
    Kept,
    /// Its state becomes what the program's migrations make of it.
    Migrated,
    /// Nothing is stored of it.
    New,
    /// It is stored, and the program has no such operator. To go on without it takes a word: `Conf::drop_state`.
    Dropped,
    /// What is stored cannot be what the operator needs. To go on without it takes a word: `Conf::drop_state`.
    Incompatible,
}

/// A line of the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorFate {
    /// The stable id.
    pub operator: String,
    /// What it is and where it was created.
    pub place: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, for a person.
    pub reason: String,
    /// Fields that a stored state has and its type has not: they are lost; and the other way round: they get their defaults.
    pub fields: FieldChanges,
}

/// What becomes of what a checkpoint folder has, under the program at hand.
///
/// ```
/// use headwater::{prelude::*, testkit, Fate};
/// let env = testkit::TestEnv::in_memory();
/// let program = |ssc: &StreamingContext| ssc.rate_stream(10, 1, |n| (n % 2, n)).uid("numbers");
/// let conf = || Conf::new().master("local[1]").checkpoint_dir("run");
/// let ssc = StreamingContext::with_env(conf(), seconds(1), env.env())?;
/// program(&ssc).reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2)).uid("sums").print();
/// ssc.start()?.stop()?;
///
/// let ssc = StreamingContext::with_env(conf(), seconds(1), env.env())?;
/// program(&ssc).print();
/// let plan = ssc.plan()?;
/// let fates: Vec<_> = plan.operators.iter().map(|of| (of.operator.as_str(), of.fate)).collect();
/// assert_eq!(fates, [("numbers", Fate::Kept), ("sums/reduce_by_key_and_window_inverse", Fate::Dropped)]);
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpgradePlan {
    /// Whether the folder has nothing yet.
    pub is_fresh: bool,
    /// The batch interval that was and the one that is, where they differ.
    pub interval: Option<(Duration, Duration)>,
    /// In the order of the program, and then what it does not have.
    pub operators: Vec<OperatorFate>,
}

impl UpgradePlan {
    /// Of what is stored and what the program has, with a batch every `batch`.
    pub(super) fn of(left: &DriverState, now: &[StoredOperator], batch: Duration) -> UpgradePlan {
        let stored = &left.operators;
        let old = left.grid.map(|grid| Duration::from_millis(grid.batch_millis)).filter(|old| *old != batch);
        let known = |id: &str| stored.iter().find(|known| known.id == id);
        let mut operators: Vec<OperatorFate> = now.iter().map(|now| fate(known(&now.id), now)).collect();
        let gone = stored.iter().filter(|stored| now.iter().all(|now| now.id != stored.id));
        operators.extend(gone.map(|gone| OperatorFate {
            operator: gone.id.clone(),
            place: gone.place.clone(),
            fate: Fate::Dropped,
            reason: format!("no {} of the program has this id, or no output reads it", what(gone)),
            fields: FieldChanges::default(),
        }));
        UpgradePlan { is_fresh: stored.is_empty(), interval: old.map(|old| (old, batch)), operators }
    }
    /// That `operator` cannot read what is stored.
    pub(super) fn refuse(&mut self, operator: &str, reason: &Error) {
        if let Some(of) = self.operators.iter_mut().find(|of| of.operator == operator) {
            (of.fate, of.reason) = (Fate::Incompatible, reason.to_string());
        }
    }
    pub(super) fn tell_fields(&mut self, operator: &str, fields: &FieldChanges) {
        if let Some(of) = self.operators.iter_mut().find(|of| of.operator == operator) {
            of.fields = fields.clone();
        }
    }
    /// Whether a person should hear of it, though nothing takes a word.
    pub(super) fn changes_something(&self) -> bool {
        let changes = |of: &OperatorFate| of.fate != Fate::Kept || !of.fields.gone.is_empty();
        !self.is_fresh && self.operators.iter().any(changes)
    }
    pub(super) fn fate_of(&self, operator: &str) -> Option<Fate> {
        self.operators.iter().find(|of| of.operator == operator).map(|of| of.fate)
    }
    /// Whether it may be carried out: nothing is lost but what `dropped` names (ids with commas between, or `all`).
    pub(crate) fn check(&self, dropped: &str) -> Result<()> {
        let is_named =
            |of: &&OperatorFate| dropped == "all" || dropped.split(',').any(|name| name.trim() == of.operator);
        let lost = self.operators.iter().filter(|of| matches!(of.fate, Fate::Dropped | Fate::Incompatible));
        let unnamed: Vec<&str> = lost.filter(|of| !is_named(of)).map(|of| of.operator.as_str()).collect();
        if unnamed.is_empty() {
            return Ok(());
        }
        Err(Error::program(format!(
            "the program cannot go on with all that is stored:\n{self}\nto lose the state that is named dropped or \
             incompatible set headwater.streaming.drop_state = {:?}; to keep it give its operator the id back by .uid(...), \
             or add migrate_state(...)",
            unnamed.join(",")
        )))
    }
}

impl fmt::Display for UpgradePlan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let width = self.operators.iter().map(|of| of.operator.len()).max().unwrap_or(0);
        if let Some((old, new)) = self.interval {
            write!(f, "batch interval {old:?} -> {new:?}")?;
        }
        for (number, of) in self.operators.iter().enumerate() {
            let is_first = number == 0 && self.interval.is_none();
            let (line, fate) = (if is_first { "" } else { "\n" }, format!("{:?}", of.fate).to_lowercase());
            write!(f, "{line}{fate:12}  {:width$}  {}: {}", of.operator, of.place, of.reason)?;
            let FieldChanges { gone, new } = &of.fields;
            for (what, fields) in [("are stored and not in it", gone), ("are in it and not stored", new)] {
                if !fields.is_empty() {
                    write!(f, "; the fields {} {what}", fields.join(", "))?;
                }
            }
        }
        Ok(())
    }
}

fn what(of: &StoredOperator) -> &'static str {
    if of.state.is_some() { "operator with state" } else { "input" }
}

fn fate(stored: Option<&StoredOperator>, now: &StoredOperator) -> OperatorFate {
    let (operator, place) = (now.id.clone(), now.place.clone());
    let (fate, reason) = match stored {
        None => (Fate::New, format!("begins empty: no {} with this id is stored", what(now))),
        Some(stored) => match (&stored.state, &now.state) {
            (None, None) if stored.kind == now.kind => {
                (Fate::Kept, "goes on behind what batches have taken".to_owned())
            }
            (Some(_), Some(_)) | (None, None) if form(&stored.kind) != form(&now.kind) => {
                (Fate::Incompatible, format!("was a {} and is a {}", stored.kind, now.kind))
            }
            (None, None) => (Fate::Kept, format!("was a {}; goes on behind what batches have taken", stored.kind)),
            (Some(old), Some(new)) => match of_types(old, new) {
                (fate, reason) if fate != Fate::Incompatible => (fate, reason + &sizes(stored, now)),
                incompatible => incompatible,
            },
            _ => (Fate::Incompatible, format!("was an {} and is an {}", what(stored), what(now))),
        },
    };
    OperatorFate { operator, place, fate, reason, fields: FieldChanges::default() }
}

/// See [`form`].
pub(super) const RANGES: &str = "ranges of offsets";

/// What is stored of operators of that kind: those of the same form read each other's.
pub(super) fn form(kind: &str) -> &str {
    match kind {
        "map_with_state" | "update_state_by_key" => "the states of keys",
        kind if kind.contains("window") => "a window",
        "direct_stream" | "rate_stream" => RANGES,
        other => other,
    }
}

fn of_types(old: &StoredTypes, new: &StoredTypes) -> (Fate, String) {
    if old.version > new.version {
        let reason =
            format!("was written by version {} of the state, and the program has version {}", old.version, new.version);
        return (Fate::Incompatible, reason);
    }
    if old.version < new.version {
        let reason = format!("version {} of the state becomes version {} by its migration", old.version, new.version);
        return (Fate::Migrated, reason);
    }
    let renamed =
        |old: &str, new: &str| (old != new).then(|| format!("{old} is read as {new} by the names of its fields"));
    let renamed: Vec<String> = renamed(&old.key, &new.key).into_iter().chain(renamed(&old.value, &new.value)).collect();
    (Fate::Kept, if renamed.is_empty() { "goes on".to_owned() } else { renamed.join("; ") })
}

/// Which numbers change that may.
fn sizes(old: &StoredOperator, new: &StoredOperator) -> String {
    let differ = |old: Option<u64>, new: Option<u64>| old.zip(new).filter(|(old, new)| old != new);
    let length = Duration::from_millis;
    let window = differ(old.window, new.window)
        .map(|(old, new)| format!("; window {:?} -> {:?}", length(old), length(new)))
        .unwrap_or_default();
    let partitions = differ(old.partitions, new.partitions).map(|(old, new)| format!("; {old} -> {new} partitions"));
    window + &partitions.unwrap_or_default()
}

/// What the program has that is stored. Operators that begin now begin behind `since`.
pub(super) fn operators_of(
    graph: &DStreamGraph,
    stored: &[StoredOperator],
    since: super::event::Millis,
) -> Vec<StoredOperator> {
    let since_of = |id: &str| stored.iter().find(|known| known.id == id).map_or(since, |known| known.since);
    let inputs = graph.input_operators().map(|input| StoredOperator {
        id: input.operator.to_string(),
        kind: input.kind.to_owned(),
        place: input.place,
        since: since_of(input.operator.as_str()),
        state: None,
        partitions: None,
        window: None,
    });
    let states = graph.stateful_operators().into_iter().map(|of| StoredOperator {
        id: of.operator.to_string(),
        kind: of.kind.to_owned(),
        place: of.place,
        since: since_of(of.operator.as_str()),
        state: Some(StoredTypes { key: of.types.key, value: of.types.value, version: of.types.version }),
        partitions: Some(of.partitions as u64),
        window: of.window.map(|length| length.milliseconds() as u64),
    });
    inputs.chain(states).collect()
}

#[cfg(test)]
mod tests {
    use super::super::event::Millis;
    use super::*;

    fn operator(id: &str, kind: &str, state: Option<(&str, u32)>) -> StoredOperator {
        let state = state.map(|(value, version)| StoredTypes { key: "u64".into(), value: value.into(), version });
        StoredOperator {
            id: id.into(),
            kind: kind.into(),
            place: format!("{kind} at main.rs"),
            since: Millis(0),
            state,
            partitions: Some(8),
            window: None,
        }
    }

    #[test]
    fn every_difference_has_its_fate_and_a_reason() {
        let stored = [
            operator("numbers", "rate_stream", None),
            operator("sums", "map_with_state", Some(("u64", 0))),
            operator("users", "map_with_state", Some(("User", 0))),
            operator("renamed", "map_with_state", Some(("old::User", 1))),
            operator("newer", "map_with_state", Some(("User", 2))),
            operator("turned", "map_with_state", Some(("User", 0))),
            operator("gone", "update_state_by_key", Some(("User", 0))),
        ];
        let now = [
            operator("numbers", "direct_stream", None),
            operator("sums", "update_state_by_key", Some(("u64", 0))),
            operator("users", "map_with_state", Some(("User", 1))),
            operator("renamed", "map_with_state", Some(("new::User", 1))),
            operator("newer", "map_with_state", Some(("User", 1))),
            operator("turned", "reduce_by_key_and_window", Some(("User", 0))),
            operator("fresh", "map_with_state", Some(("u64", 0))),
        ];
        let left = DriverState { operators: stored.to_vec(), ..DriverState::default() };
        let plan = UpgradePlan::of(&left, &now, Duration::from_secs(1));
        let fates: Vec<_> = plan.operators.iter().map(|of| (of.operator.as_str(), of.fate)).collect();
        let expected = [
            ("numbers", Fate::Kept),
            ("sums", Fate::Kept),
            ("users", Fate::Migrated),
            ("renamed", Fate::Kept),
            ("newer", Fate::Incompatible),
            ("turned", Fate::Incompatible),
            ("fresh", Fate::New),
            ("gone", Fate::Dropped),
        ];
        assert_eq!(fates, expected);
        let said = plan.check("gone, turned").unwrap_err().to_string();
        assert!(said.contains("drop_state = \"newer\""), "{said}");
        assert!(said.contains("old::User is read as new::User"), "{said}");
        plan.check("gone,turned,newer").unwrap();
        plan.check("all").unwrap();
    }

    #[test]
    fn numbers_that_change_are_told_where_they_are_known() {
        let window = |length: Option<u64>, partitions: Option<u64>| StoredOperator {
            window: length,
            partitions,
            ..operator("sums", "reduce_by_key_and_window", Some(("u64", 0)))
        };
        let said = |old: StoredOperator, new: StoredOperator| {
            let left = DriverState { operators: vec![old], ..DriverState::default() };
            UpgradePlan::of(&left, &[new], Duration::from_secs(1)).operators.remove(0).reason
        };
        let (old, new) = (window(Some(10_000), Some(8)), window(Some(30_000), Some(4)));
        assert_eq!(said(old.clone(), new.clone()), "goes on; window 10s -> 30s; 8 -> 4 partitions");
        assert_eq!(said(old.clone(), old), "goes on");
        // A release that did not store them.
        assert_eq!(said(window(None, None), new), "goes on");
    }
}
