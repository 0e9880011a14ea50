//! [`Link`]: the driver's connection, and what it knows of ledgers. It connects, and looks at the ledger before the first
//! batch.

use super::commit::Commit;
use super::ledger::Ledger;
use super::scripts::RECOVER;
use crate::RedisServer;
use headwater_core::sink::{SinkBatch, SinkOutput};
use headwater_core::time::Time;
use headwater_core::{ErrorKind, Result};
use redis::Connection;
use std::collections::BTreeMap;

/// A connection, none before the first use and behind an error, and the newest batch of each ledger as it was last seen:
/// a ledger that says less has been lost.
#[derive(Default)]
pub(crate) struct Link {
    connection: Option<Connection>,
    seen: BTreeMap<Ledger, Time>,
}

impl Link {
    pub(crate) fn recover(&mut self, server: &RedisServer, accept_lost: bool, output: &SinkOutput<'_>) -> Result<()> {
        // A new one, for the old one may belong to a server that is gone.
        let connection = self.connection.insert(server.connect()?);
        let recovered = recover(server, connection, accept_lost, output);
        match recovered {
            Ok(Some(newest)) => drop(self.seen.insert(Ledger::of(output), newest)),
            Ok(None) => {}
            Err(error) => {
                self.connection = None;
                return Err(error);
            }
        }
        Ok(())
    }

    /// What the ledger of an output said last.
    pub(crate) fn newest(&self, output: &SinkOutput<'_>) -> Option<Time> {
        self.seen.get(&Ledger::of(output)).copied()
    }

    pub(crate) fn commit(
        &mut self,
        server: &RedisServer,
        accept_lost: bool,
        batch: &SinkBatch<'_>,
        parts: &[Vec<u8>],
    ) -> Result<()> {
        let ledger = Ledger::of(&batch.output);
        let seen = self.seen.get(&ledger).copied();
        let commit = Commit { server, ledger: &ledger, seen, accept_lost, batch };
        let was_open = self.connection.is_some();
        let newest = match self.try_commit(&commit, parts) {
            // A server that was started again closed the connection while nobody looked. Whether the batch is there, the
            // ledger says.
            Err(error) if was_open && error.kind() == ErrorKind::Outside => self.try_commit(&commit, parts),
            ended => ended,
        }?;
        self.seen.insert(ledger, newest);
        Ok(())
    }

    /// What the ledger says behind it.
    fn try_commit(&mut self, commit: &Commit<'_>, parts: &[Vec<u8>]) -> Result<Time> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => commit.server.connect()?,
        };
        let newest = commit.run(&mut connection, parts)?;
        // Only behind a success: in any other state a transaction may be open in it.
        self.connection = Some(connection);
        Ok(newest)
    }
}

/// Looks at the ledger, on a server that can be written to; what it says.
fn recover(
    server: &RedisServer,
    connection: &mut Connection,
    accept_lost: bool,
    output: &SinkOutput<'_>,
) -> Result<Option<Time>> {
    let (ledger, name) = (Ledger::of(output), server.name());
    let doing = format!("reading the ledger {:?}", ledger.key);
    let stored: Option<String> = redis::cmd("EVAL")
        .arg(RECOVER)
        .arg(2)
        .arg(&ledger.mark)
        .arg(&ledger.key)
        .query(connection)
        .map_err(|error| server.error(&doing, &error))?;
    let newest = stored.as_ref().map(|stored| ledger.read(&name, stored)).transpose()?;
    let Some(committed) = output.committed.filter(|committed| newest.is_none_or(|newest| newest < *committed)) else {
        return Ok(newest);
    };
    let stored = stored.as_deref().unwrap_or("nothing");
    if !accept_lost {
        return Err(ledger.lost(&name, stored, committed));
    }
    output.env.console.warn(&ledger.accepted(&name, stored, committed));
    // Then the next process need not accept it again.
    let milliseconds = committed.milliseconds();
    let set = redis::cmd("SET").arg(&ledger.key).arg(milliseconds).query::<()>(connection);
    set.map_err(|error| server.error(&format!("writing the ledger {:?}", ledger.key), &error))?;
    Ok(Some(committed))
}
