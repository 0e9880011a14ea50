//! [`Ledger`]: the key beside the data that says up to which batch all of an output is there, and what its loss means.

use headwater_core::sink::SinkOutput;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind};

/// The names of an output's ledger and mark.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ledger {
    pub(crate) key: String,
    pub(crate) mark: String,
}

impl Ledger {
    pub(crate) fn of(output: &SinkOutput<'_>) -> Ledger {
        // Only the operator's name may have a colon, so that no two pairs of names are one key.
        let application = output.application.replace('%', "%25").replace(':', "%3A");
        let named = |what| format!("headwater:{what}:{application}:{}", output.operator);
        Ledger { key: named("ledger"), mark: named("mark") }
    }

    /// What it says, as stored.
    pub(crate) fn read(&self, server: &str, stored: &str) -> Result<Time, Error> {
        stored.parse().map(Time::from_millis).map_err(|_| {
            let key = &self.key;
            let message =
                format!("redis at {server}: the ledger {key:?} is {stored:?} and no batch time in ms: remove it");
            // Not of the kind Data: nobody knows whether the batch is there.
            Error::new(ErrorKind::Program, message)
        })
    }
    /// It says less than it did.
    pub(crate) fn lost(&self, server: &str, stored: &str, committed: Time) -> Error {
        Error::program(format!(
            "redis at {server}: the ledger {:?} says {stored}, and all up to {} ms was committed: the database was \
             flushed, replaced or set back, and what it has lost of this output is not written again. Restore it, or go \
             on with what is there by RedisSink::accept_lost_ledger",
            self.key,
            committed.milliseconds(),
        ))
    }
    /// The warning where that is accepted.
    pub(crate) fn accepted(&self, server: &str, stored: &str, committed: Time) -> String {
        format!(
            "redis at {server}: the ledger {:?} says {stored}, and all up to {} ms was committed; accept_lost_ledger is \
             set, so the output goes on with what is there",
            self.key,
            committed.milliseconds(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_any_names_have_ledgers_of_their_own() {
        let env = headwater::testkit::TestEnv::new().env();
        let key =
            |application, operator| Ledger::of(&SinkOutput { application, operator, committed: None, env: &env }).key;
        assert_eq!(key("shop-1", "counts"), "headwater:ledger:shop-1:counts");
        assert_ne!(key("a:b", "c"), key("a", "b:c"));
        assert_ne!(key("a%3Ab", "c"), key("a:b", "c"));
    }
}
