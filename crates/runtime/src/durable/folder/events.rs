//! [`CheckpointEvent`]: what happened to the batches of an application, as far as the journal still has it.

use super::super::event::{DriverEvent, Started, StateSnapshot};
use super::CheckpointFolder;
use headwater_core::Result;
use headwater_core::time::Time;
use headwater_storage::{JournalEvent, LogOptions, LogReader};
use std::fmt;

/// An event of the journal, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointEvent {
    /// The number of its segment in the journal.
    pub segment: u64,
    /// Where it begins there, in bytes.
    pub offset: u64,
    /// `Started`, `Allocated`, `Committed`, `SnapshotBegun`, `SnapshotTaken`, `SnapshotForgotten`, `LogsTrimmed`,
    /// `LettersAsked`, `LettersVoided` or `LettersTrimmed`.
    pub name: &'static str,
    /// What it says.
    pub what: String,
}

impl fmt::Display for CheckpointEvent {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let CheckpointEvent { segment, offset, name, what } = self;
        write!(f, "{segment}:{offset:<8} {name:17} {what}")
    }
}

impl CheckpointFolder {
    /// The events that the journal still has, oldest first; those before its older snapshot are gone. They are in memory
    /// all at once: the size of a journal has a limit, see [`Journal`](headwater_storage::Journal).
    ///
    /// ```
    /// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let conf = Conf::new().master("local[1]").checkpoint_dir("run");
    /// let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
    /// ssc.rate_stream(10, 1, |n| n).uid("numbers").print();
    /// let running = ssc.start()?;
    /// env.clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// running.stop()?;
    /// let events = CheckpointFolder::look(env.storage.clone(), "run")?.events()?;
    /// let names: Vec<_> = events.iter().map(|event| event.name).collect();
    /// assert_eq!(names, ["Started", "Allocated", "Committed"]);
    /// assert_eq!(events[1].what, "1000 ms, numbers: partition 0, offsets 0..10");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn events(&self) -> Result<Vec<CheckpointEvent>> {
        self.reading(CheckpointFolder::read_events)
    }
    fn read_events(&self) -> Result<Vec<CheckpointEvent>> {
        let folder = format!("{}/journal", self.path);
        let files = self.storage.list(&folder)?;
        let snapshots = files.iter().filter_map(|file| file.name.strip_suffix(".snapshot")?.parse::<u64>().ok());
        // The log is kept from the older of the two newest snapshots on.
        let mut snapshots: Vec<u64> = snapshots.collect();
        snapshots.sort_unstable();
        let first = snapshots.iter().rev().nth(1).copied().unwrap_or(0);
        let options = LogOptions::new(&self.application, u64::MAX).first(first);
        let mut reader = LogReader::open(self.storage.clone(), &folder, options)?;
        let mut events = Vec::new();
        while let Some((position, bytes)) = reader.next()? {
            let (name, what) = self.said(&DriverEvent::decode(&bytes)?);
            events.push(CheckpointEvent { segment: position.segment, offset: position.offset, name, what });
        }
        Ok(events)
    }

    fn said(&self, event: &DriverEvent) -> (&'static str, String) {
        match event {
            DriverEvent::Started(Started { epoch, zero, batch_millis, operators, gaps, .. }) => {
                let (zero, ids) = (Time::from(*zero), operators.iter().map(|of| of.id.as_str()).collect::<Vec<_>>());
                let gaps = gaps.iter().map(|(after, before)| {
                    format!("; no batches between {} and {}", Time::from(*after), Time::from(*before))
                });
                let gaps: String = gaps.collect();
                let what =
                    format!("epoch {epoch}, a batch every {batch_millis} ms from {zero} on, {}{gaps}", ids.join(" "));
                ("Started", what)
            }
            DriverEvent::Allocated { time, inputs, .. } => {
                let inputs = self.allocations(inputs).into_iter();
                let inputs = inputs.map(|input| format!(", {}: {}", input.operator, input.allocation));
                ("Allocated", format!("{}{}", Time::from(*time), inputs.collect::<String>()))
            }
            DriverEvent::Committed { time, forget, .. } => {
                ("Committed", format!("{}, forgets up to {}", Time::from(*time), Time::from(*forget)))
            }
            DriverEvent::SnapshotBegun { number } => ("SnapshotBegun", number.to_string()),
            DriverEvent::SnapshotTaken(StateSnapshot { number, since, until, records, bytes }) => {
                let (since, until) = (Time::from(*since), Time::from(*until));
                let what = format!("{number}, batches {since} to {until}, {records} records of {bytes} bytes");
                ("SnapshotTaken", what)
            }
            DriverEvent::SnapshotForgotten { number } => ("SnapshotForgotten", number.to_string()),
            DriverEvent::LogsTrimmed { changes, windows, done } => {
                // Before the first snapshot nothing of the changes is.
                let done = Some(Time::from(*done)).filter(|done| done.milliseconds() > i64::MIN);
                let done = done.map_or_else(String::new, |done| format!(", done up to {done}"));
                let what = format!("changes from segment {changes} on, windows from {windows} on{done}");
                ("LogsTrimmed", what)
            }
            DriverEvent::LettersAsked { redrive, drop } => (
                "LettersAsked",
                format!("{} to go through their operators once more, {} to go", redrive.count(), drop.count()),
            ),
            DriverEvent::LettersVoided { numbers, next } => {
                ("LettersVoided", format!("{} of batches that were not committed, the next is {next}", numbers.count()))
            }
            DriverEvent::LettersTrimmed { segment, lowest } => {
                ("LettersTrimmed", format!("from segment {segment} and letter {lowest} on"))
            }
        }
    }
}
