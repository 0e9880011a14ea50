//! [`Origin`]: which operator user code belongs to and where in the program it was created, so that a failed task can
//! say so. While the driver builds a batch's RDDs, a scope passes the DStream operator's origin down to them.

use crate::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

/// An operator's stable name: `.uid("…")`, or derived from its place in the graph. Equal in every process that
/// builds the same graph.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OperatorId(&'static str);

impl OperatorId {
    /// The id of this name. Names are kept for the life of the process: there are as many as operators.
    pub(crate) fn new(name: &str) -> OperatorId {
        static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
        let mut guard = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        let names = guard.get_or_insert_default();
        if let Some(known) = names.get(name) {
            return OperatorId(known);
        }
        let kept: &'static str = Box::leak(name.into());
        names.insert(kept);
        OperatorId(kept)
    }
    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}
impl Serialize for OperatorId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}
impl<'de> Deserialize<'de> for OperatorId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OperatorId, D::Error> {
        Ok(OperatorId::new(&String::deserialize(deserializer)?))
    }
}
impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where an RDD's node comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    kind: &'static str,
    location: &'static Location<'static>,
    operator: Option<OperatorId>,
}

impl Origin {
    /// The operation `kind` called by the user at the caller's place, or on behalf of the operator in scope.
    #[track_caller]
    pub fn here(kind: &'static str) -> Origin {
        let called = Origin { kind, location: Location::caller(), operator: None };
        match SCOPE.get() {
            None => called,
            Some(Scope { origin, user_code: false, .. }) => origin,
            Some(Scope { origin, user_code: true, .. }) => Origin { operator: origin.operator, ..called },
        }
    }
    pub(crate) fn of_operator(
        kind: &'static str,
        location: &'static Location<'static>,
        operator: OperatorId,
    ) -> Origin {
        Origin { kind, location, operator: Some(operator) }
    }
}
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} at {}:{}:{}", self.kind, self.location.file(), self.location.line(), self.location.column())?;
        match self.operator {
            Some(operator) => write!(f, " (operator {operator})"),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Copy)]
struct Scope {
    origin: Origin,
    /// The batch that the thread works for, if it works for one.
    time: Option<Time>,
    /// Whether the user's own closure runs now (`transform`): what it calls has a place of its own.
    user_code: bool,
}
thread_local! {
    static SCOPE: Cell<Option<Scope>> = const { Cell::new(None) };
}

/// Runs `body` so that the RDDs it makes belong to `origin`, and its jobs to the batch `time`.
pub(crate) fn on_behalf_of<R>(origin: Origin, time: Time, body: impl FnOnce() -> R) -> R {
    in_scope(Some(Scope { origin, time: Some(time), user_code: false }), body)
}
/// Runs `body` so that the RDDs it makes belong to `origin`: the parts of an operation that is made of several.
pub(crate) fn as_part_of<R>(origin: Origin, body: impl FnOnce() -> R) -> R {
    in_scope(Some(Scope { origin, time: batch_time(), user_code: false }), body)
}
/// The batch that this thread works for, if it works for one.
pub(crate) fn batch_time() -> Option<Time> {
    SCOPE.get()?.time
}
/// Runs the user's part of the operator in scope.
pub(crate) fn in_user_code<R>(body: impl FnOnce() -> R) -> R {
    in_scope(SCOPE.get().map(|scope| Scope { user_code: true, ..scope }), body)
}
fn in_scope<R>(scope: Option<Scope>, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Scope>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.set(self.0);
        }
    }
    let _restore = Restore(SCOPE.replace(scope));
    body()
}
