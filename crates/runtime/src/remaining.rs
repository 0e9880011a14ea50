//! [`Remaining`]: what a context has left to do, in fields and in words.

use headwater_core::input::Unprocessed;
use headwater_core::time::Time;
use std::fmt::{self, Display, Write};
use std::time::Duration;

/// Times that are told one by one; of more batches than that, the first and the last.
const BATCHES_TOLD: usize = 5;
/// Outputs and inputs that are told; of the others, how many they are.
const TOLD: usize = 10;

/// What a context has left to do: what a graceful stop waits for, or would wait for. It is looked at while everything goes
/// on, so parts of it may be a moment older than others.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// let (ssc, clock) = testkit::streaming_context();
/// let ((begun, begin), (go, gate)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
/// let gate = std::sync::Mutex::new(gate);
/// ssc.queue_stream(&RddQueue::<u64>::new()).foreach_rdd(move |_, _| {
///     begun.send(()).unwrap();
///     let _opened = gate.lock().unwrap().recv();
/// });
/// let running = ssc.start()?;
/// clock.advance(seconds(1));
/// begin.recv().unwrap();
/// clock.advance(milliseconds(500));
/// let remaining = running.remaining();
/// assert_eq!(remaining.batches, [Time::from_millis(1000)]);
/// assert_eq!((remaining.outputs[0].id, remaining.outputs[0].duration), (0, milliseconds(500)));
/// let in_words = remaining.to_string();
/// assert!(in_words.starts_with("batch 1000 ms; output operation 0 (foreach_rdd at "), "{in_words}");
/// assert!(in_words.ends_with(") of batch 1000 ms, which has run for 500ms"), "{in_words}");
/// drop(go);
/// running.await_batches(1)?;
/// assert_eq!(running.remaining().to_string(), "nothing");
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Remaining {
    /// The inputs that receive, by operator and place. A stop ends them first.
    pub receivers: Vec<String>,
    /// What inputs hold in memory that no finished batch had, as far as they can tell, and it is not zero.
    pub unprocessed: Vec<(String, Unprocessed)>,
    /// The batches that wait or run, oldest first.
    pub batches: Vec<Time>,
    /// The one of them whose jobs are being made: user code on the driver, such as in a `transform`, may take its time.
    pub generating: Option<Time>,
    /// The output operations that run, in the order of their batches.
    pub outputs: Vec<RunningOutput>,
    /// Events that the listeners have not seen to the end.
    pub events: usize,
}

/// An output operation that runs. Displays as
/// `output operation 0 (print at src/main.rs:9:5) of batch 1000 ms, which has run for 2s`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RunningOutput {
    /// The batch.
    pub batch_time: Time,
    /// Its position among the output operations of the program, from 0.
    pub id: usize,
    /// The operation and where the program calls it: `print at src/main.rs:9:5`.
    pub name: String,
    /// For how long it has run.
    pub duration: Duration,
}

impl Display for RunningOutput {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let RunningOutput { batch_time, id, name, duration } = self;
        write!(f, "output operation {id} ({name}) of batch {batch_time}, which has run for {duration:?}")
    }
}

impl Remaining {
    fn batches_in_words(&self) -> Option<String> {
        let told = |times: &[Time]| times.iter().map(Time::to_string).collect::<Vec<_>>().join(", ");
        match &self.batches[..] {
            [] => None,
            [only] => Some(format!("batch {only}")),
            few if few.len() <= BATCHES_TOLD => Some(format!("{} batches: {}", few.len(), told(few))),
            [first, .., last] => Some(format!("{} batches, from {first} to {last}", self.batches.len())),
        }
    }
}

/// In plain words: what there is, each behind a semicolon, or `nothing`.
impl Display for Remaining {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut parts = Vec::from_iter(self.batches_in_words());
        parts.extend(self.generating.map(|time| format!("the making of the jobs of batch {time}")));
        parts.extend(few(self.outputs.iter(), "output operations"));
        parts.extend(few(self.receivers.iter().map(|place| format!("the receiver of {place}")), "receivers"));
        let held = self.unprocessed.iter().map(|(place, held)| format!("{held} of {place} that are not processed"));
        parts.extend(few(held, "inputs"));
        parts.extend((self.events > 0).then(|| format!("{} for listeners", Unprocessed::new(self.events, "events"))));
        if parts.is_empty() { f.write_str("nothing") } else { f.write_str(&parts.join("; ")) }
    }
}

/// The first of them, and how many more there are.
fn few<D: Display>(all: impl ExactSizeIterator<Item = D>, what: &str) -> Vec<String> {
    let more = all.len().saturating_sub(TOLD);
    let mut told: Vec<String> = all.take(TOLD).map(|one| one.to_string()).collect();
    if let (1.., Some(last)) = (more, told.last_mut()) {
        let _ = write!(last, "; and {more} more {what}");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_told_one_by_one_and_of_many_the_ends() {
        let batches = |count: i64| (1..=count).map(|n| Time::from_millis(n * 1000)).collect();
        let words = |count| Remaining { batches: batches(count), ..Remaining::default() }.to_string();
        assert_eq!(words(0), "nothing");
        assert_eq!(words(1), "batch 1000 ms");
        assert_eq!(words(2), "2 batches: 1000 ms, 2000 ms");
        assert_eq!(words(1000), "1000 batches, from 1000 ms to 1000000 ms");
    }

    #[test]
    fn everything_has_its_words() {
        let output = RunningOutput {
            batch_time: Time::from_millis(1000),
            id: 2,
            name: "print at a.rs:1:2".to_owned(),
            duration: Duration::from_millis(1500),
        };
        let remaining = Remaining {
            receivers: (0..12).map(|n| format!("socket {n}")).collect(),
            unprocessed: vec![("queue".to_owned(), Unprocessed::new(3, "datasets"))],
            batches: vec![Time::from_millis(1000)],
            generating: Some(Time::from_millis(2000)),
            outputs: vec![output],
            events: 7,
        };
        let receivers: String = (0..10).map(|n| format!("the receiver of socket {n}; ")).collect();
        let expected = format!(
            "batch 1000 ms; the making of the jobs of batch 2000 ms; output operation 2 (print at a.rs:1:2) of batch \
             1000 ms, which has run for 1.5s; {receivers}and 2 more receivers; 3 datasets of queue that are not \
             processed; 7 events for listeners"
        );
        assert_eq!(remaining.to_string(), expected);
    }
}
