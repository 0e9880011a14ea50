//! [`Ledger`]: the newest committed batch of each application, for when a reader has taken the batch's folder away.

use super::disk::Disk;
use super::staging::{Run, Staging};
use headwater_core::sink::SinkOutput;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Applications that are remembered: a process without a checkpoint folder is one of its own, and there may have been many.
const APPLICATIONS_MAX: usize = 64;
const FORMAT: u32 = 1;

/// A row for each application, the one that wrote last at the end.
#[derive(PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Ledger {
    format: u32,
    rows: Vec<Row>,
}
#[derive(PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Row {
    application: String,
    newest_ms: i64,
}

impl Ledger {
    pub(crate) fn new() -> Ledger {
        Ledger { format: FORMAT, rows: Vec::new() }
    }
    pub(crate) fn read(disk: Disk<'_>, staging: &Staging) -> Result<Ledger> {
        let path = path_in(&staging.path);
        if !disk.exists(&path)? {
            return Ok(Ledger::new());
        }
        let ledger: Ledger = serde_json::from_slice(&disk.read(&path)?).map_err(|error| {
            let message = format!(
                "{path}, which says what was committed, is damaged: remove it if the newest batches are in their folders"
            );
            Error::new(ErrorKind::Data, message).because(error)
        })?;
        if ledger.format == FORMAT {
            return Ok(ledger);
        }
        let message = format!("{path} has format {}; this release reads format {FORMAT}", ledger.format);
        Err(Error::program(message))
    }
    /// Whether this batch or a later one is committed.
    pub(crate) fn has(&self, application: &str, time: Time) -> bool {
        self.rows.iter().any(|row| row.application == application && row.newest_ms >= time.milliseconds())
    }
    /// The newest batch that is committed.
    pub(crate) fn newest(&self, application: &str) -> Option<Time> {
        let row = self.rows.iter().find(|row| row.application == application)?;
        Some(Time::from_millis(row.newest_ms))
    }
    /// The newest batch that the output has committed, as the journal says, where this knows of none as new.
    pub(crate) fn lost(&self, output: &SinkOutput<'_>) -> Option<Time> {
        output.committed.filter(|committed| !self.has(output.application, *committed))
    }
    /// An error where it has lost what it knew. `what` it is, and what else was `found`, is for people.
    pub(crate) fn check(&self, what: &str, found: Option<&str>, output: &SinkOutput<'_>) -> Result<()> {
        let Some(committed) = self.lost(output).map(Time::milliseconds) else { return Ok(()) };
        let SinkOutput { application, operator, .. } = output;
        let known = match self.rows.iter().find(|row| row.application == *application) {
            Some(row) => format!("nothing behind {} ms of", row.newest_ms),
            None => "nothing of".to_owned(),
        };
        let found = found.map(|found| format!(" ({found})")).unwrap_or_default();
        let message = format!(
            "{what} knows {known} the output {operator:?} of the application {application:?}{found}, and the journal in the \
             checkpoint folder says that its batch of {committed} ms was committed. If it, or a file in it, was removed or is \
             an older copy, restore it as it was. If it is lost, look at what is there; if the output has written elsewhere \
             until now, all is well. Then start once with `.accept_lost_ledger()`, which goes on behind {committed} ms and \
             leaves the rest as it is"
        );
        Err(Error::new(ErrorKind::Data, message))
    }
    /// With the application's newest batch, and without those that wrote longest ago if there are too many.
    pub(crate) fn with(&self, application: &str, time: Time) -> Ledger {
        let others = self.rows.iter().filter(|row| row.application != application);
        let kept = others.clone().count().min(APPLICATIONS_MAX - 1);
        let others = others.clone().skip(others.count() - kept);
        let row = |application: &str, newest_ms| Row { application: application.to_owned(), newest_ms };
        let mut rows: Vec<Row> = others.map(|other| row(&other.application, other.newest_ms)).collect();
        rows.push(row(application, time.milliseconds()));
        Ledger { format: FORMAT, rows }
    }
    /// Replaces the file in one step, which only the process that has the door can do.
    pub(crate) fn write(&self, disk: Disk<'_>, staging: &Staging, run: &Run) -> Result<()> {
        let (new, path) = (path_in(&run.path), path_in(&staging.path));
        disk.write(&new, &serde_json::to_vec(self).expect("texts and numbers are JSON"))?;
        disk.rename(&new, &path)?;
        disk.sync_folder(&staging.path)
    }
}

pub(super) fn path_in(folder: &str) -> String {
    format!("{folder}/ledger")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_batch_of_the_applications_that_wrote_last_is_known() {
        let time = |batch: i64| Time::from_millis(batch * 1000);
        let mut ledger = Ledger::new();
        assert!(!ledger.has("0", time(0)));
        ledger = ledger.with("durable", time(5)).with("durable", time(6));
        for application in 0..APPLICATIONS_MAX as i64 - 1 {
            ledger = ledger.with(&application.to_string(), time(application));
        }
        assert!(ledger.has("durable", time(6)) && ledger.has("durable", time(5)) && !ledger.has("durable", time(7)));
        assert!(ledger.has("0", time(0)) && ledger.has("62", time(62)));
        ledger = ledger.with("one more", time(1));
        assert!(!ledger.has("durable", time(5)) && ledger.has("0", time(0)));
        assert_eq!(ledger.rows.len(), APPLICATIONS_MAX);
    }
}
