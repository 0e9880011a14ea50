//! The steps behind `DStream::set_aside`: closures see a record by reference, so that it is at hand when they fail. A panic
//! is caught once for each stretch of records that pass, which costs a record nothing.

use super::retain::truncate;
use super::{CHUNK, Outcome, Rdd, Stop, Task};
use crate::dead_letters::{Failure, Gathering, LetterSource, OutletOfBatch};
use crate::origin::Origin;
use crate::{Closure, Record, Result, panic_message};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

type AnyError = Box<dyn Error + Send + Sync>;

/// What is done with a record that is set aside.
pub(crate) struct Aside<T> {
    pub(crate) outlet: OutletOfBatch,
    /// The record's bytes.
    pub(crate) write: fn(&T, &mut Vec<u8>) -> Result<()>,
    /// How often it has been tried, this try included.
    pub(crate) attempt: fn(&T) -> u32,
    /// Where it came from, if that is known without the task.
    pub(crate) source: fn(&T) -> Option<LetterSource>,
    /// Whether what a record becomes has its key.
    pub(crate) keeps_keys: bool,
}

impl<T: Record> Rdd<T> {
    /// What `push` makes of each record; those for which it fails, and what it had pushed for them by then, are set aside.
    /// Held in memory: what a chunk of records becomes.
    pub(crate) fn mapped_aside<U: Record>(
        &self,
        aside: Aside<T>,
        push: impl Fn(&T, &mut Vec<U>) -> Result<(), AnyError> + Closure,
    ) -> Rdd<U> {
        let origin = Origin::here("set_aside");
        self.narrow(aside.keeps_keys, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            let mut gathering = Gathering::new(&aside.outlet);
            let outcome = parent.compute(task, &mut |chunk| {
                task.enter(origin);
                let mut good = 0;
                each(chunk, task, &aside, &mut gathering, |record, is_again| {
                    if is_again {
                        out.truncate(good);
                    }
                    push(record, &mut out)?;
                    good = out.len();
                    Ok(())
                })?;
                out.truncate(good);
                truncate(chunk, 0);
                pass_on(&mut out, task, sink)
            });
            ended(outcome, gathering, task)
        })
    }
    /// The records that `keep` says to keep; those for which it fails are set aside. Keys stay where they are.
    pub(crate) fn filtered_aside(
        &self,
        aside: Aside<T>,
        keep: impl Fn(&T) -> Result<bool, AnyError> + Closure,
    ) -> Rdd<T> {
        let origin = Origin::here("set_aside");
        self.narrow(true, move |parent, task, sink| {
            let mut kept = Vec::with_capacity(CHUNK);
            let mut gathering = Gathering::new(&aside.outlet);
            let outcome = parent.compute(task, &mut |chunk| {
                task.enter(origin);
                kept.clear();
                kept.resize(chunk.len(), false);
                let mut at = 0;
                each(chunk, task, &aside, &mut gathering, |record, _| {
                    at += 1;
                    kept[at - 1] = keep(record)?;
                    Ok(())
                })?;
                let mut passes = kept.iter().copied();
                chunk.retain(|_| passes.next().unwrap_or(false));
                if chunk.is_empty() { Ok(()) } else { sink(chunk) }
            });
            ended(outcome, gathering, task)
        })
    }
}

/// Calls `try_one` with each record, once, and whether it is the first behind one that failed; sets aside those that fail.
#[inline(always)]
fn each<T>(
    records: &[T],
    task: &Task<'_>,
    aside: &Aside<T>,
    gathering: &mut Gathering<'_>,
    mut try_one: impl FnMut(&T, bool) -> Result<(), AnyError>,
) -> Outcome {
    let (mut at, mut is_again) = (0, false);
    while at < records.len() {
        let stretch = catch_unwind(AssertUnwindSafe(|| {
            while let Some(record) = records.get(at) {
                at += 1;
                try_one(record, std::mem::take(&mut is_again))?;
            }
            Ok(())
        }));
        let failure = match stretch {
            Ok(Ok(())) => break,
            Ok(Err(error)) => Failure::Error(error),
            Err(panic) => Failure::Panic(panic_message(&*panic).to_owned()),
        };
        let failed = &records[at - 1];
        is_again = true;
        let source = (aside.source)(failed).or_else(|| task.source());
        gathering.set_aside(at - 1, ((aside.attempt)(failed), source), failure, |out| (aside.write)(failed, out))?;
    }
    gathering.advance(records.len());
    Ok(())
}

/// Pushes what a chunk became, in chunks.
fn pass_on<U: Record>(out: &mut Vec<U>, task: &Task<'_>, sink: &mut dyn FnMut(&mut Vec<U>) -> Outcome) -> Outcome {
    if out.len() <= CHUNK {
        return sink(out);
    }
    let mut all = std::mem::replace(out, Vec::with_capacity(CHUNK)).into_iter();
    loop {
        out.extend(all.by_ref().take(CHUNK));
        if out.is_empty() {
            return Ok(());
        }
        sink(out)?;
        task.check()?;
    }
}

/// What was set aside counts where the task does not fail, also where somebody has enough of its records.
fn ended(outcome: Outcome, gathering: Gathering<'_>, task: &Task<'_>) -> Outcome {
    if matches!(outcome, Ok(()) | Err(Stop::Enough)) {
        gathering.hand_over(task)?;
    }
    outcome
}
