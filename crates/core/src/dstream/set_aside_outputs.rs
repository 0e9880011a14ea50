//! Outputs behind `set_aside`: the records that an output does not take become dead letters, one by one where its sink
//! refuses them, or all of a batch; and the letters of the output that a batch has once more are written with it.

use super::node::{AnyDStream, DStreamNode, Tick};
use super::outputs::SetBatchAside;
use super::set_aside::{SettingAside, first_try, once_more};
use super::write_to::prepared;
use super::{JobOutcome, OutputOperation};
use crate::dead_letters::{Outlet, OutletOfBatch, Redriven};
use crate::origin::{in_user_code, on_behalf_of};
use crate::rdd::Rdd;
use crate::sink::{AnySinkCommits, Commit, Sink, SinkCommits};
use crate::time::Time;
use crate::{Closure, Data, Error, ErrorKind, Record, Result};
use std::sync::Arc;

impl<T: Data> SettingAside<T> {
    /// As [`DStream::write_to`](super::DStream::write_to). A record that the sink [refuses](crate::sink::SinkPart::refuse)
    /// becomes a dead letter, and the others of its batch are written. Where the batch fails as a whole, all its records
    /// become dead letters and the output goes on with the next batch: where its tasks fail behind their tries and those of
    /// the [policy](OutputOperation::on_failure), and where the commit is refused (an error of kind
    /// [`Data`](ErrorKind::Data)). Errors of kind [`Program`](ErrorKind::Program) fail the batch as ever. So does a commit of
    /// which nobody knows whether it came through, and, where its tasks fail, a batch that a process before this one had
    /// begun: it may be there, and would be doubled. The records of a partition are copied, for they must be there when the sink fails.
    ///
    /// ```
    /// use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
    /// use headwater::{prelude::*, rdd::PartitionRecords, testkit, Error, ErrorKind};
    /// use std::sync::{Arc, Mutex};
    ///
    /// #[derive(Clone, Default)]
    /// struct Bytes(Arc<Mutex<Vec<u8>>>);
    /// impl Sink<u64> for Bytes {
    ///     fn recover(&self, _: &SinkOutput<'_>) -> headwater::Result<()> { Ok(()) }
    ///     fn prepare(&self, part: &SinkPart<'_>, numbers: PartitionRecords<u64>) -> headwater::Result<Vec<u8>> {
    ///         let mut bytes = Vec::new();
    ///         for (index, number) in numbers.enumerate() {
    ///             match u8::try_from(number) {
    ///                 Ok(byte) => bytes.push(byte),
    ///                 Err(_) => part.refuse(index, Error::new(ErrorKind::Data, format!("{number} is no byte")))?,
    ///             }
    ///         }
    ///         Ok(bytes)
    ///     }
    ///     fn commit(&self, _: &SinkBatch<'_>, parts: &[Vec<u8>]) -> headwater::Result<()> {
    ///         Ok(self.0.lock().unwrap().extend(parts.concat()))
    ///     }
    /// }
    ///
    /// let (bytes, (ssc, clock)) = (Bytes::default(), testkit::streaming_context());
    /// let numbers = testkit::test_input(&ssc, vec![Some(vec![7, 256, 8])], 1);
    /// numbers.set_aside().write_to(bytes.clone()).uid("bytes");
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// assert_eq!(*bytes.0.lock().unwrap(), [7, 8]);
    /// let letters = running.dead_letters()?;
    /// assert_eq!((letters[0].operator.as_str(), letters[0].letter.index), ("bytes", 1));
    /// assert_eq!((letters[0].record::<u64>()?, letters[0].letter.error.as_str()), (256, "256 is no byte"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn write_to(&self, sink: impl Sink<T>) -> OutputOperation {
        let sink = Arc::new(sink);
        let commits = Arc::new(SinkCommits::new(sink.clone(), self.stream.context().clone()));
        let of_fresh = sink.clone();
        let fresh = move |rdd: Rdd<T>, outlet, tick: &Tick| {
            rdd.prepared_aside(first_try(outlet), |record| Ok(record.clone()), of_fresh.clone(), tick.time)
        };
        let again = move |letters: Rdd<Redriven>, outlet, tick: &Tick| {
            letters.prepared_aside(once_more(outlet), Redriven::read, sink.clone(), tick.time)
        };
        self.output("write_to", fresh, again, prepared(commits.clone()), Some(commits))
    }

    /// As [`DStream::foreach_rdd`](super::DStream::foreach_rdd). Where `f` fails for a batch, behind the tries of the
    /// [policy](OutputOperation::on_failure), all records of the batch become dead letters, those too that `f` had done by
    /// then, and the output goes on with the next batch. An [`Error`] of kind [`Program`](ErrorKind::Program) fails the batch
    /// as ever.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let numbers = ssc.rate_stream(2, 1, |n| n);
    /// let mail = |_batch, time| if time == Time::from_millis(1000) { Err("the mail server is away") } else { Ok(()) };
    /// numbers.set_aside().foreach_rdd(mail).uid("mail");
    /// let running = ssc.start()?;
    /// clock.advance(seconds(2));
    /// running.await_batches(2)?;
    /// let letters = running.dead_letters()?;
    /// assert_eq!(letters.iter().map(|letter| letter.record()).collect::<headwater::Result<Vec<u64>>>()?, [0, 1]);
    /// assert!(letters[0].letter.error.contains("the mail server is away"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn foreach_rdd<R: JobOutcome>(&self, f: impl Fn(Rdd<T>, Time) -> R + Closure) -> OutputOperation {
        // As for every output of the user's, whose jobs may read a shuffle any number of times.
        self.stream.node.header().add_reader();
        let again = |letters: Rdd<Redriven>, outlet, _: &Tick| readable(&letters, outlet);
        let run = move |rdd, time| in_user_code(|| f(rdd, time).into_result()).map(|()| None);
        self.output("foreach_rdd", |rdd, _, _| rdd, again, run, None)
    }

    #[track_caller]
    fn output<U: Record>(
        &self,
        kind: &'static str,
        fresh: impl Fn(Rdd<T>, OutletOfBatch, &Tick) -> Rdd<U> + Closure,
        again: impl Fn(Rdd<Redriven>, OutletOfBatch, &Tick) -> Rdd<U> + Closure,
        run: impl Fn(Rdd<U>, Time) -> Result<Option<Commit>> + Send + Sync + 'static,
        commits: Option<Arc<dyn AnySinkCommits>>,
    ) -> OutputOperation {
        let outlet = Outlet::new(self.stream.context());
        let header = self.stream.output_header(kind);
        header.set_sets_aside();
        let both = self.both(outlet.clone(), fresh, again);
        let node = DStreamNode::new(header, vec![self.stream.node.clone()], both);
        let set_aside = self.whole_batch(node.clone(), outlet, commits.clone());
        self.stream.add_output(node.clone(), node, run, Some(set_aside), commits)
    }

    /// All records of a batch become dead letters of the output `node`.
    fn whole_batch<U: Record>(
        &self,
        node: Arc<DStreamNode<U>>,
        outlet: Arc<Outlet>,
        sink: Option<Arc<dyn AnySinkCommits>>,
    ) -> SetBatchAside {
        let (parent, context, reads_input) =
            (self.stream.node.clone(), self.stream.context().clone(), self.reads_input());
        Arc::new(move |time, error: &Error, is_refused: bool| {
            if !is_refused && sink.as_ref().is_some_and(|sink| sink.may_have(time)) {
                let message = "a process before this one had begun the batch, and its sink may have it";
                return Err(Error::new(ErrorKind::Outside, message));
            }
            let unknown = || Error::new(ErrorKind::Internal, "an output sets aside before its start");
            let (origin, operator) = node.header().origin().zip(node.header().operator()).ok_or_else(unknown)?;
            let text = error.to_string();
            on_behalf_of(origin, time, || {
                let outlet = outlet.of(operator, time, reads_input);
                let (redriven, mut partitions) = (outlet.redriven(), 0);
                if let Some(rdd) = parent.get_or_compute(time)? {
                    partitions = rdd.num_partitions();
                    let text = text.clone();
                    rdd.mapped_aside::<()>(first_try(outlet.clone()), move |_, _| Err(text.clone().into())).count()?;
                }
                if redriven.is_empty() {
                    return Ok(());
                }
                // Those that cannot be read are aside already, or go now, by the partition that they have with the output.
                let letters = readable_letters::<T>(&context.parallelize(redriven, 1), outlet.behind(partitions));
                let rest = once_more(outlet.behind(partitions + 1));
                letters.mapped_aside::<()>(rest, move |_, _| Err(text.clone().into())).count().map(drop)
            })
        })
    }
}

/// The records of letters; those that are not of the type any more are set aside.
fn readable<T: Data>(letters: &Rdd<Redriven>, outlet: OutletOfBatch) -> Rdd<T> {
    letters.mapped_aside(once_more(outlet), |letter, out| {
        out.push(letter.read()?);
        Ok(())
    })
}
/// The same as letters.
fn readable_letters<T: Data>(letters: &Rdd<Redriven>, outlet: OutletOfBatch) -> Rdd<Redriven> {
    letters.mapped_aside(once_more(outlet), |letter, out| {
        letter.read::<T>()?;
        out.push(letter.clone());
        Ok(())
    })
}
