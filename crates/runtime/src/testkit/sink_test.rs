//! [`SinkTest`]: the rules that a sink must keep, as a test that its author runs against it. It plays the driver, and the
//! processes that end at bad moments.
#![allow(clippy::single_range_in_vec_init, reason = "what a reader sees is a list of ranges, which may be one")]

use crate::system_env;
use headwater_core::env::Env;
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::time::Time;
use headwater_core::{Record, Result};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Range;

/// The rules of [`Sink`] as a test. `target` makes a new place to write to, empty, for each rule; `sink` a sink as a process
/// would make it, for that place; `record` a record of each number, no two alike; and `read` returns what a reader of the
/// place sees, in any order. Records are compared as they are shown (`{:?}`).
///
/// [`Sink`] has an example.
#[must_use = "run() runs it"]
pub struct SinkTest<P, S, T> {
    env: Env,
    target: Box<dyn Fn() -> P>,
    sink: Box<dyn Fn(&P) -> S>,
    record: Box<dyn Fn(u64) -> T>,
    read: Box<dyn Fn(&P) -> Result<Vec<T>>>,
    tells_newest: bool,
}

impl<P, S: Sink<T>, T: Record + Debug> SinkTest<P, S, T> {
    /// For sinks that write to places of the type `P`, in the real environment.
    pub fn new(
        target: impl Fn() -> P + 'static,
        sink: impl Fn(&P) -> S + 'static,
        record: impl Fn(u64) -> T + 'static,
        read: impl Fn(&P) -> Result<Vec<T>> + 'static,
    ) -> Self {
        let (target, sink, record, read) = (Box::new(target), Box::new(sink), Box::new(record), Box::new(read));
        SinkTest { env: system_env(), target, sink, record, read, tells_newest: false }
    }
    /// In another environment.
    pub fn with_env(self, env: Env) -> Self {
        SinkTest { env, ..self }
    }

    /// The sink must tell its newest batch ([`Sink::newest`]), so that a checkpoint folder which is older is found; without
    /// this it may, and then rightly.
    pub fn tells_its_newest(self) -> Self {
        SinkTest { tells_newest: true, ..self }
    }

    /// Runs all of it; panics at the first rule that is broken, and names it.
    #[track_caller]
    pub fn run(self) {
        for (name, rule) in Self::RULES {
            if let Err(error) = rule(&Place { test: &self, target: (self.target)(), rule: name }) {
                panic!("{name}: {error}");
            }
        }
    }

    const RULES: [(&'static str, fn(&Place<'_, P, S, T>) -> Result<()>); 12] = [
        ("what is prepared is not visible, and what is committed is, of all partitions", |place| {
            let process = place.process("app", "out", None)?;
            let parts = process.prepare(1, &[0..3, 3..3, 3..5])?;
            place.shows(&[]);
            process.commit(1, &parts)?;
            place.shows(&[0..5]);
            Ok(())
        }),
        ("batches come one behind the other", |place| {
            let process = place.process("app", "out", None)?;
            for batch in 1..5 {
                process.write(batch, batch * 10..batch * 10 + 7)?;
                place.shows(&(1..=batch).map(|batch| batch * 10..batch * 10 + 7).collect::<Vec<_>>());
            }
            Ok(())
        }),
        ("the next batch may be prepared before this one is committed", |place| {
            let process = place.process("app", "out", None)?;
            let (first, second) = (process.prepare(1, &[0..3])?, process.prepare(2, &[3..6])?);
            process.commit(1, &first)?;
            place.shows(&[0..3]);
            process.commit(2, &second)?;
            place.shows(&[0..6]);
            Ok(())
        }),
        ("a commit that is made twice counts once", |place| {
            let process = place.process("app", "out", None)?;
            let parts = process.prepare(1, &[0..3, 3..5])?;
            process.commit(1, &parts)?;
            process.commit(1, &parts)?;
            place.shows(&[0..5]);
            Ok(())
        }),
        ("a batch without records is committed, and so is one without partitions", |place| {
            let process = place.process("app", "out", None)?;
            process.write(1, 0..0)?;
            process.commit(2, &[])?;
            process.write(3, 0..2)?;
            place.shows(&[0..2]);
            Ok(())
        }),
        ("of a partition that is prepared more than once, one counts", |place| {
            let process = place.process("app", "out", None)?;
            let failed = process.prepare_part(1, (0, 0), 0..2)?;
            drop(failed);
            let parts = [process.prepare_part(1, (0, 1), 0..4)?, process.prepare_part(1, (1, 0), 4..6)?];
            process.commit(1, &parts)?;
            place.shows(&[0..6]);
            Ok(())
        }),
        ("what is aborted is not visible, and may be prepared again", |place| {
            let process = place.process("app", "out", None)?;
            let parts = process.prepare(1, &[0..3, 3..5])?;
            process.abort(1, &parts)?;
            place.shows(&[]);
            process.write(1, 0..5)?;
            process.write(2, 5..6)?;
            place.shows(&[0..6]);
            Ok(())
        }),
        (
            "a process that ends before its commit leaves nothing to see, and the next one commits, in other partitions",
            |place| {
                place.process("app", "out", None)?.write(1, 0..2)?;
                let parts = place.process("app", "out", Some(1))?.prepare(2, &[2..5, 5..8])?;
                drop(parts);
                let next = place.process("app", "out", Some(1))?;
                place.shows(&[0..2]);
                let parts = next.prepare(2, &[2..3, 3..4, 4..8])?;
                next.commit(2, &parts)?;
                place.shows(&[0..8]);
                Ok(())
            },
        ),
        ("a process that ends between its commit and the note of it doubles nothing", |place| {
            place.process("app", "out", None)?.write(1, 0..4)?;
            let next = place.process("app", "out", None)?;
            let parts = next.prepare(1, &[0..1, 1..4])?;
            next.commit(1, &parts)?;
            next.write(2, 4..6)?;
            place.shows(&[0..6]);
            Ok(())
        }),
        ("a process whose last commits are not noted finds all of them", |place| {
            let process = place.process("app", "out", None)?;
            (1..4).try_for_each(|batch| process.write(batch, batch..batch + 1))?;
            let next = place.process("app", "out", Some(1))?;
            next.knows(Some(3))?;
            (2..5).try_for_each(|batch| next.write(batch, batch..batch + 1))?;
            place.shows(&[1..5]);
            Ok(())
        }),
        ("a process that was replaced, and commits late, doubles nothing", |place| {
            let old = place.process("app", "out", None)?;
            old.write(1, 0..2)?;
            let (late, parts) = (2, old.prepare(2, &[2..4])?);
            let new = place.process("app", "out", Some(1))?;
            new.write(2, 2..4)?;
            new.write(3, 4..6)?;
            // It may find that what it has prepared is gone.
            let _refused = old.commit(late, &parts);
            place.shows(&[0..6]);
            Ok(())
        }),
        ("outputs and applications do not take each other's batches for their own", |place| {
            let (one, other) = (place.process("app", "out", None)?, place.process("app", "other", None)?);
            one.write(5, 0..2)?;
            other.write(4, 2..4)?;
            let third = place.process("another", "out", None)?;
            third.knows(None)?;
            third.write(3, 4..6)?;
            place.shows(&[0..6]);
            Ok(())
        }),
    ];
}

/// A place to write to, under test for a rule.
struct Place<'a, P, S, T> {
    test: &'a SinkTest<P, S, T>,
    target: P,
    rule: &'static str,
}
impl<P, S: Sink<T>, T: Record + Debug> Place<'_, P, S, T> {
    /// A new process, whose journal says that all up to a batch is committed.
    fn process<'a>(
        &'a self,
        application: &'a str,
        operator: &'a str,
        committed: Option<u64>,
    ) -> Result<Process<'a, S, T>> {
        let (sink, record, env) = ((self.test.sink)(&self.target), &*self.test.record, &self.test.env);
        let output = SinkOutput { application, operator, committed: committed.map(batch_time), env };
        sink.recover(&output)?;
        Ok(Process { sink, record, output, tells_newest: self.test.tells_newest, records: PhantomData })
    }
    /// Panics unless a reader sees the records of these numbers.
    #[track_caller]
    fn shows(&self, numbers: &[Range<u64>]) {
        let seen = (self.test.read)(&self.target).unwrap_or_else(|error| panic!("{}: reading: {error}", self.rule));
        let sorted = |mut shown: Vec<String>| {
            shown.sort();
            shown
        };
        let seen = sorted(seen.iter().map(|record| format!("{record:?}")).collect());
        let wanted = numbers.iter().cloned().flatten().map(|number| format!("{:?}", (self.test.record)(number)));
        let wanted = sorted(wanted.collect());
        assert!(seen == wanted, "{}: a reader sees\n  {seen:?}\nand should see\n  {wanted:?}", self.rule);
    }
}

/// A process of an application, as its sink sees it.
struct Process<'a, S, T> {
    sink: S,
    record: &'a dyn Fn(u64) -> T,
    output: SinkOutput<'a>,
    tells_newest: bool,
    records: PhantomData<T>,
}
impl<S: Sink<T>, T: Record> Process<'_, S, T> {
    fn prepare_part(&self, batch: u64, (partition, attempt): (usize, usize), numbers: Range<u64>) -> Result<Vec<u8>> {
        let SinkOutput { operator, env, .. } = self.output;
        let part = SinkPart::new(operator, batch_time(batch), (partition, attempt), env);
        self.sink.prepare(&part, numbers.map(self.record).collect::<Vec<T>>().into_iter())
    }
    fn prepare(&self, batch: u64, parts: &[Range<u64>]) -> Result<Vec<Vec<u8>>> {
        let parts = parts.iter().cloned().enumerate();
        parts.map(|(partition, numbers)| self.prepare_part(batch, (partition, 0), numbers)).collect()
    }
    fn commit(&self, batch: u64, parts: &[Vec<u8>]) -> Result<()> {
        self.sink.commit(&SinkBatch { output: self.output, time: batch_time(batch) }, parts)
    }
    /// Panics where the sink says of its newest batch what is not so. It need not say anything.
    fn knows(&self, batch: Option<u64>) -> Result<()> {
        let (newest, wanted) = (self.sink.newest(&self.output)?, batch.map(batch_time));
        let may_be_silent = newest.is_none() && !self.tells_newest;
        assert!(may_be_silent || newest == wanted, "the newest batch is {wanted:?}, and the sink says {newest:?}");
        Ok(())
    }
    fn abort(&self, batch: u64, parts: &[Vec<u8>]) -> Result<()> {
        self.sink.abort(&SinkBatch { output: self.output, time: batch_time(batch) }, parts)
    }
    fn write(&self, batch: u64, numbers: Range<u64>) -> Result<()> {
        let middle = numbers.start.midpoint(numbers.end);
        let parts = self.prepare(batch, &[numbers.start..middle, middle..numbers.end])?;
        self.commit(batch, &parts)
    }
}
fn batch_time(batch: u64) -> Time {
    Time::from_millis(1000 * batch as i64)
}
