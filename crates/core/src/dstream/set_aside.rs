//! [`SettingAside`]: the failure policy `set_aside`. A record on which the next operator's closure fails becomes a dead
//! letter, and the rest of the batch goes on.

use super::DStream;
use super::node::{AnyDStream, Generated, Tick};
use crate::dead_letters::{Outlet, OutletOfBatch, Redriven};
use crate::rdd::{Aside, Rdd};
use crate::{Closure, Data, Record, Result, codec};
use std::error::Error;
use std::sync::Arc;

type AnyError = Box<dyn Error + Send + Sync>;

/// A stream whose next operator sets aside the records on which its closure fails: returns an `Err`, or panics. See
/// [`DStream::set_aside`].
pub struct SettingAside<T> {
    pub(super) stream: DStream<T>,
}

impl<T: Data> DStream<T> {
    /// The next operator does not fail the batch when its closure fails on a record. The record goes to the dead-letter
    /// store, with the operator, the batch, its place in the partition and the error, and the rest of the batch goes on.
    /// With a checkpoint folder the store is there, durable, and the program `headwater dead-letters` lists, drops and
    /// re-drives what is in it; without one the newest are in memory. Closures get the record by reference, since it must
    /// be there when they fail.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let texts = testkit::test_input(&ssc, vec![Some(["1", "2x", "3"].map(Text::from).to_vec())], 1);
    /// let numbers = texts.set_aside().try_map(|text| text.parse::<u32>()).uid("parse");
    /// let (sent, received) = std::sync::mpsc::channel();
    /// numbers.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// assert_eq!(received.recv().unwrap(), [1, 3]);
    /// let letters = running.dead_letters()?;
    /// assert_eq!((letters.len(), letters[0].operator.as_str(), letters[0].letter.index), (1, "parse", 1));
    /// assert_eq!(letters[0].letter.error, "invalid digit found in string");
    /// assert_eq!(letters[0].record::<Text>()?, "2x");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn set_aside(&self) -> SettingAside<T> {
        SettingAside { stream: self.clone() }
    }
}

impl<T: Data> SettingAside<T> {
    /// As [`DStream::try_map`].
    ///
    /// ```
    /// use headwater::{testkit::check, DStream, Text};
    /// let program = |texts: DStream<Text>| texts.set_aside().try_map(|text| text.parse::<u32>());
    /// check([["1", "2x", "3"].map(Text::from).to_vec()], program, [vec![1, 3]]);
    /// ```
    #[track_caller]
    pub fn try_map<U: Record, E: Into<AnyError>>(&self, f: impl Fn(&T) -> Result<U, E> + Closure) -> DStream<U> {
        self.pushing("try_map", move |record, out| {
            out.push(f(record).map_err(Into::into)?);
            Ok(())
        })
    }
    /// As [`DStream::map`], for an `f` that may panic. What Rust prints of a panic is printed as ever; an `f` that returns a
    /// `Result` costs less.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![2, 0, 5]], |numbers| numbers.set_aside().map(|n| 10 / n), [vec![5, 2]]);
    /// ```
    #[track_caller]
    pub fn map<U: Record>(&self, f: impl Fn(&T) -> U + Closure) -> DStream<U> {
        self.pushing("map", move |record, out| {
            out.push(f(record));
            Ok(())
        })
    }
    /// As [`DStream::try_flat_map`]. Of a record that is set aside nothing goes on, also where the iterator fails in the
    /// middle. Held in memory: what a chunk of 1,024 records becomes.
    ///
    /// ```
    /// use headwater::{testkit::check, Text};
    /// let numbers = |line: &Text| line.as_str().split(' ').map(|word| word.parse()).collect::<Result<Vec<u32>, _>>();
    /// let lines = ["1 2", "3 x 4", "5"].map(Text::from).to_vec();
    /// check([lines], |lines| lines.set_aside().try_flat_map(numbers), [vec![1, 2, 5]]);
    /// ```
    #[track_caller]
    pub fn try_flat_map<I, E>(&self, f: impl Fn(&T) -> Result<I, E> + Closure) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record>,
        E: Into<AnyError>,
    {
        self.pushing("try_flat_map", move |record, out| {
            out.extend(f(record).map_err(Into::into)?);
            Ok(())
        })
    }
    /// As [`DStream::flat_map`], for an `f`, or an iterator, that may panic. See [`SettingAside::try_flat_map`].
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let parts = |n: &i32| (0..3).map({ let n = *n; move |part| 12 / (n - part) });
    /// check([vec![3, 1, 4]], move |numbers| numbers.set_aside().flat_map(parts), [vec![4, 6, 12, 3, 4, 6]]);
    /// ```
    #[track_caller]
    pub fn flat_map<I: IntoIterator<Item: Record>>(&self, f: impl Fn(&T) -> I + Closure) -> DStream<I::Item> {
        self.pushing("flat_map", move |record, out| {
            out.extend(f(record));
            Ok(())
        })
    }
    /// As [`DStream::try_filter`].
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let even = |n: &i32| if *n < 0 { Err(format!("{n} is below 0")) } else { Ok(n % 2 == 0) };
    /// check([vec![1, 2, -4, 6]], move |numbers| numbers.set_aside().try_filter(even), [vec![2, 6]]);
    /// ```
    #[track_caller]
    pub fn try_filter<E: Into<AnyError>>(&self, keep: impl Fn(&T) -> Result<bool, E> + Closure) -> DStream<T> {
        self.filtering("try_filter", move |record| keep(record).map_err(Into::into))
    }
    /// As [`DStream::filter`], for a `keep` that may panic.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![2, 0, 20]], |numbers| numbers.set_aside().filter(|n| 10 / n > 0), [vec![2]]);
    /// ```
    #[track_caller]
    pub fn filter(&self, keep: impl Fn(&T) -> bool + Closure) -> DStream<T> {
        self.filtering("filter", move |record| Ok(keep(record)))
    }

    #[track_caller]
    fn pushing<U: Record>(
        &self,
        kind: &'static str,
        push: impl Fn(&T, &mut Vec<U>) -> Result<(), AnyError> + Closure,
    ) -> DStream<U> {
        self.pushing_by(kind, false, push)
    }
    /// The same, which may keep keys.
    #[track_caller]
    fn pushing_by<U: Record>(
        &self,
        kind: &'static str,
        keeps_keys: bool,
        push: impl Fn(&T, &mut Vec<U>) -> Result<(), AnyError> + Closure,
    ) -> DStream<U> {
        let push = Arc::new(push);
        let (of_fresh, of_again) = (push.clone(), push);
        let fresh = move |rdd: Rdd<T>, outlet| {
            let push = of_fresh.clone();
            rdd.mapped_aside(Aside { keeps_keys, ..first_try(outlet) }, move |record, out| push(record, out))
        };
        self.operator(kind, fresh, move |record, out| of_again(&record, out))
    }
    #[track_caller]
    fn filtering(&self, kind: &'static str, keep: impl Fn(&T) -> Result<bool, AnyError> + Closure) -> DStream<T> {
        let keep = Arc::new(keep);
        let (of_fresh, of_again) = (keep.clone(), keep);
        let fresh = move |rdd: Rdd<T>, outlet| {
            let keep = of_fresh.clone();
            rdd.filtered_aside(first_try(outlet), move |record| keep(record))
        };
        self.operator(kind, fresh, move |record, out| {
            if of_again(&record)? {
                out.push(record);
            }
            Ok(())
        })
    }
    /// What `fresh` makes of the batch, and behind it what `again` makes of the letters that the batch has once more.
    #[track_caller]
    fn operator<U: Record>(
        &self,
        kind: &'static str,
        fresh: impl Fn(Rdd<T>, OutletOfBatch) -> Rdd<U> + Closure,
        again: impl Fn(T, &mut Vec<U>) -> Result<(), AnyError> + Closure,
    ) -> DStream<U> {
        let again = Arc::new(again);
        let again = move |letters: Rdd<Redriven>, outlet: OutletOfBatch| {
            let again = again.clone();
            letters.mapped_aside(once_more(outlet), move |letter, out| again(letter.read()?, out))
        };
        let outlet = Outlet::new(self.stream.context());
        let both = self.both(
            outlet,
            move |rdd, outlet, _| fresh(rdd, outlet),
            move |letters, outlet, _| again(letters, outlet),
        );
        let stream = self.stream.attach(kind, vec![self.stream.node.clone()], both);
        stream.node.header().set_sets_aside();
        stream
    }
    /// What `fresh` makes of a batch, and behind it what `again` makes of the letters that the batch has once more.
    pub(super) fn both<U: Record, F, A>(
        &self,
        outlet: Arc<Outlet>,
        fresh: F,
        again: A,
    ) -> impl Fn(&Tick) -> Generated<U> + Closure + use<T, U, F, A>
    where
        F: Fn(Rdd<T>, OutletOfBatch, &Tick) -> Rdd<U> + Closure,
        A: Fn(Rdd<Redriven>, OutletOfBatch, &Tick) -> Rdd<U> + Closure,
    {
        let (parent, context, reads_input) =
            (self.stream.node.clone(), self.stream.context().clone(), self.reads_input());
        move |tick: &Tick| {
            let outlet = outlet.of(tick.operator, tick.time, reads_input);
            let redriven = outlet.redriven();
            let rdd = match parent.get_or_compute(tick.time)? {
                None if redriven.is_empty() => return Ok(None),
                rdd => rdd.unwrap_or_else(|| context.empty_rdd()),
            };
            let partitions = rdd.num_partitions();
            let fresh = fresh(rdd, outlet.clone(), tick);
            if redriven.is_empty() {
                return Ok(Some(tick.placed(fresh)));
            }
            let again = again(context.parallelize(redriven, 1), outlet.behind(partitions), tick);
            Ok(Some(tick.placed(context.union([fresh, again]))))
        }
    }
    /// Whether it reads an input itself.
    pub(super) fn reads_input(&self) -> bool {
        self.stream.node.parents().is_empty()
    }
}

impl<K: Data, V: Data> SettingAside<(K, V)> {
    /// As [`DStream::try_map_values`]: keys stay where they are.
    ///
    /// ```
    /// use headwater::{testkit::check, DStream};
    /// let half = |n: &i32| if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) };
    /// check([vec![('a', 4), ('b', 5)]], |pairs| pairs.set_aside().try_map_values(half), [vec![('a', 2)]]);
    /// ```
    #[track_caller]
    pub fn try_map_values<U: Record, E: Into<AnyError>>(
        &self,
        f: impl Fn(&V) -> Result<U, E> + Closure,
    ) -> DStream<(K, U)> {
        self.pushing_by("try_map_values", true, move |(key, value), out| {
            out.push((key.clone(), f(value).map_err(Into::into)?));
            Ok(())
        })
    }
    /// As [`DStream::map_values`], for an `f` that may panic.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![('a', 2), ('b', 0)]], |pairs| pairs.set_aside().map_values(|n| 10 / n), [vec![('a', 5)]]);
    /// ```
    #[track_caller]
    pub fn map_values<U: Record>(&self, f: impl Fn(&V) -> U + Closure) -> DStream<(K, U)> {
        self.pushing_by("map_values", true, move |(key, value), out| {
            out.push((key.clone(), f(value)));
            Ok(())
        })
    }
}

pub(super) fn first_try<T: Data>(outlet: OutletOfBatch) -> Aside<T> {
    Aside { outlet, write: codec::write, attempt: |_| 1, source: |_| None, keeps_keys: false }
}
pub(super) fn once_more(outlet: OutletOfBatch) -> Aside<Redriven> {
    let source = |letter: &Redriven| letter.source.clone();
    Aside { outlet, write: payload, attempt: next_attempt, source, keeps_keys: false }
}
/// A letter that fails again, or whose record does not read as what the stream has now, is the same record.
fn payload(letter: &Redriven, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&letter.payload);
    Ok(())
}
fn next_attempt(letter: &Redriven) -> u32 {
    letter.attempt.saturating_add(1)
}
