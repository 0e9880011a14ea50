//! [`Commit`]: a batch as one transaction, and what the answers to it mean.

use super::ledger::Ledger;
use super::part::{self, GroupView};
use super::scripts::{APPLY, CHECK, CLOSE, OPEN};
use super::transaction::Transaction;
use super::write::Kind;
use crate::RedisServer;
use headwater_core::sink::SinkBatch;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use redis::{Connection, RedisResult, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Keys whose type one call checks.
const CHECKED_KEYS_MAX: usize = 512;

/// A batch on its way into Redis.
pub(crate) struct Commit<'a> {
    pub(crate) server: &'a RedisServer,
    pub(crate) ledger: &'a Ledger,
    /// What the ledger said last to this process.
    pub(crate) seen: Option<Time>,
    pub(crate) accept_lost: bool,
    pub(crate) batch: &'a SinkBatch<'a>,
}

impl Commit<'_> {
    /// One transaction; what the ledger says behind it.
    pub(crate) fn run(&self, connection: &mut Connection, parts: &[Vec<u8>]) -> Result<Time> {
        let mut keys = BTreeMap::new();
        let mut groups = Vec::new();
        for part in parts {
            groups.append(&mut part::read(part, &mut keys)?);
        }
        let sent = self.send(connection, &keys, &groups);
        let (checks, answers) = sent.map_err(|error| self.server.error(&self.doing(), &error))?;
        self.outcome(checks, answers)
    }

    /// Sends all of it; how many calls check keys, and the answers to all calls.
    fn send(
        &self,
        connection: &mut Connection,
        keys: &BTreeMap<&[u8], Kind>,
        groups: &[GroupView<'_>],
    ) -> RedisResult<(usize, Vec<Value>)> {
        let (mark, ledger) = (self.ledger.mark.as_bytes(), self.ledger.key.as_bytes());
        let time = self.batch.time.milliseconds().to_string();
        let at_least = self.seen.filter(|_| !self.accept_lost).map(|seen| seen.milliseconds().to_string());
        let commands: BTreeSet<&str> = keys.values().map(|kind| kind.command()).collect();
        let mut args = vec![time.as_bytes(), at_least.as_deref().unwrap_or_default().as_bytes()];
        args.extend(commands.into_iter().map(str::as_bytes));

        let mut transaction = Transaction::begin(connection);
        transaction.call(OPEN, &[mark, ledger], &args)?;
        // A string is replaced, whatever it was.
        let typed: Vec<_> = keys.iter().filter(|(_, kind)| **kind != Kind::Text).collect();
        for keys in typed.chunks(CHECKED_KEYS_MAX) {
            let names: Vec<_> = std::iter::once(mark).chain(keys.iter().map(|(key, _)| **key)).collect();
            let types: Vec<_> = keys.iter().map(|(_, kind)| kind.type_name().as_bytes()).collect();
            transaction.call(CHECK, &names, &types)?;
        }
        for group in groups {
            transaction.call_with_group(APPLY, mark, group)?;
        }
        let calls = groups.len().to_string();
        transaction.call(CLOSE, &[mark, ledger], &[time.as_bytes(), calls.as_bytes()])?;
        Ok((typed.len().div_ceil(CHECKED_KEYS_MAX), transaction.exec()?))
    }

    /// What the answers mean.
    fn outcome(&self, checks: usize, answers: Vec<Value>) -> Result<Time> {
        let mut answers = answers.into_iter();
        let stored = match self.opened(answers.next())? {
            Opened::Done(newest) => return Ok(newest),
            Opened::Open(stored) => stored,
        };
        for answer in answers.by_ref().take(checks) {
            self.checked(answer)?;
        }
        for answer in answers {
            answer.extract_error().map_err(|error| self.server.error(&self.doing(), &error))?;
        }
        if let Some(seen) = self.seen
            && self.accept_lost
            && stored.parse().map_or(true, |stored| Time::from_millis(stored) < seen)
        {
            let stored = if stored.is_empty() { "nothing" } else { &stored };
            self.batch.output.env.console.warn(&self.ledger.accepted(&self.server.name(), stored, seen));
        }
        Ok(self.batch.time)
    }

    fn opened(&self, answer: Option<Value>) -> Result<Opened> {
        let answer = answer.map(Value::extract_error).transpose().map_err(|error| {
            let (name, detail) = (self.server.name(), error.detail().unwrap_or_default());
            match (error.code(), self.seen) {
                (Some("HEADWATERLOST"), Some(seen)) => self.ledger.lost(&name, detail, seen),
                (Some("HEADWATERLEDGER"), _) => match self.ledger.read(&name, detail) {
                    Err(error) => error,
                    Ok(_) => self.server.error(&self.doing(), &error),
                },
                _ => self.server.error(&self.doing(), &error),
            }
        })?;
        let (state, stored) = answer
            .and_then(|answer| redis::from_redis_value::<(String, String)>(answer).ok())
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a Redis script has not answered as it is written"))?;
        match state.as_str() {
            "done" => Ok(Opened::Done(self.ledger.read(&self.server.name(), &stored)?)),
            _ => Ok(Opened::Open(stored)),
        }
    }

    /// A key of another type is named; then nothing was written.
    fn checked(&self, answer: Value) -> Result<()> {
        let answer = answer.extract_error().map_err(|error| self.server.error(&self.doing(), &error))?;
        let Ok((key, found, wanted)) = redis::from_redis_value::<(Vec<u8>, String, String)>(answer) else {
            return Ok(());
        };
        let (key, doing, name) = (String::from_utf8_lossy(&key), self.doing(), self.server.name());
        Err(Error::new(
            ErrorKind::Data,
            format!(
                "redis at {name}: {doing}: the key {key:?} holds a {found}, where a {wanted} is to be written: remove or \
                 rename it, or write to another key; nothing of the batch was written"
            ),
        ))
    }

    fn doing(&self) -> String {
        format!(
            "writing the batch of {} ms of the output {:?}",
            self.batch.time.milliseconds(),
            self.batch.output.operator
        )
    }
}

enum Opened {
    /// The ledger said that the batch is there, and this.
    Done(Time),
    /// The batch was to be written; what the ledger said before, or nothing.
    Open(String),
}
