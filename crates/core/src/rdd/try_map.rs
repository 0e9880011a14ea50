//! `try_map` and its kin: the forms of `map`, `filter`, `flat_map`, `map_partitions` and `map_values` whose closures
//! return a `Result`. An `Err` fails the task as a panic would: it is tried again, and then the job fails with it.

use super::map_partitions::{PartitionRecords, whole};
use super::node::push_all;
use super::retain::retain;
use super::{CHUNK, Rdd, Stop};
use crate::origin::Origin;
use crate::{Closure, Error, ErrorKind, Record, Result};

/// What closures fail with: any error, also a text.
type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// How a task ends in which a closure of `origin` returned `error`.
pub(super) fn failed(origin: Origin, error: impl Into<AnyError>) -> Stop {
    Error::new(ErrorKind::Data, format!("{origin} failed")).because(error).into()
}

impl<T: Record> Rdd<T> {
    /// As [`Rdd::map`], for an `f` that may fail. An error fails the task; when it has failed as often as a task may,
    /// the job's error has the text of `f`'s error, the operator, its place in the program and the partition.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let parse = |text: String| text.parse::<u32>();
    /// let good = context.parallelize(vec!["1".to_string(), "2".to_string()], 2);
    /// assert_eq!(good.try_map(parse).collect()?, [1, 2]);
    /// let error = context.parallelize(vec!["3x".to_string()], 1).try_map(parse).collect().unwrap_err().to_string();
    /// assert!(error.contains("the task of partition 0 failed 4 times"));
    /// assert!(error.contains("try_map at ") && error.ends_with("failed: invalid digit found in string"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn try_map<U: Record, E: Into<AnyError>>(&self, f: impl Fn(T) -> Result<U, E> + Closure) -> Rdd<U> {
        self.try_map_as("try_map", false, f)
    }

    /// As [`Rdd::filter`], for a `keep` that may fail, in the way of [`Rdd::try_map`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let even = |n: &i32| if *n < 0 { Err(format!("{n} is below 0")) } else { Ok(n % 2 == 0) };
    /// assert_eq!(context.parallelize(vec![1, 2, 3, 4], 2).try_filter(even).collect()?, [2, 4]);
    /// let error = context.parallelize(vec![1, -2], 1).try_filter(even).collect().unwrap_err();
    /// assert!(error.to_string().ends_with("-2 is below 0"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn try_filter<E: Into<AnyError>>(&self, keep: impl Fn(&T) -> Result<bool, E> + Closure) -> Rdd<T> {
        let origin = Origin::here("try_filter");
        self.narrow(true, move |parent, task, sink| {
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                let mut error = None;
                retain(chunk, |record| match error {
                    Some(_) => false,
                    None => keep(record).unwrap_or_else(|failure| {
                        error = Some(failure);
                        false
                    }),
                });
                match error {
                    Some(error) => Err(failed(origin, error)),
                    None if chunk.is_empty() => Ok(()),
                    None => sink(chunk),
                }
            })
        })
    }

    /// As [`Rdd::flat_map`], for an `f` that may fail, in the way of [`Rdd::try_map`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = |line: String| line.split(' ').map(|word| word.parse::<u32>()).collect::<Result<Vec<_>, _>>();
    /// let lines = context.parallelize(vec!["1 2".to_string(), "3".to_string()], 1);
    /// assert_eq!(lines.try_flat_map(numbers).collect()?, [1, 2, 3]);
    /// assert!(lines.map(|line| line + " x").try_flat_map(numbers).collect().is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn try_flat_map<I, E>(&self, f: impl Fn(T) -> Result<I, E> + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
        E: Into<AnyError>,
    {
        let origin = Origin::here("try_flat_map");
        self.narrow(false, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                for record in chunk.drain(..) {
                    for produced in f(record).map_err(|error| failed(origin, error))? {
                        if out.len() == CHUNK {
                            sink(&mut out)?;
                            task.check()?;
                            task.enter(origin);
                        }
                        out.push(produced);
                    }
                }
                sink(&mut out)
            })
        })
    }

    /// As [`Rdd::map_partitions`], for an `f` that may fail, in the way of [`Rdd::try_map`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let mean = |records: headwater::rdd::PartitionRecords<i32>| match records.len() {
    ///     0 => Err("no record in this partition"),
    ///     count => Ok([records.sum::<i32>() / count as i32]),
    /// };
    /// let numbers = context.parallelize(vec![1, 3, 4, 6], 2);
    /// assert_eq!(numbers.try_map_partitions(mean).collect()?, [2, 5]);
    /// let error = numbers.filter(|n| *n < 4).try_map_partitions(mean).collect().unwrap_err().to_string();
    /// assert!(error.contains("the task of partition 1 failed") && error.ends_with("no record in this partition"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn try_map_partitions<I, E>(&self, f: impl Fn(PartitionRecords<T>) -> Result<I, E> + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
        E: Into<AnyError>,
    {
        let origin = Origin::here("try_map_partitions");
        self.narrow(false, move |parent, task, sink| {
            let records = whole(parent, task)?;
            task.enter(origin);
            let mut produced = f(records.into_iter()).map_err(|error| failed(origin, error))?.into_iter();
            let entered = || {
                task.enter(origin);
                produced.next()
            };
            push_all(task, std::iter::from_fn(entered), sink)
        })
    }

    #[track_caller]
    fn try_map_as<U: Record, E: Into<AnyError>>(
        &self,
        kind: &'static str,
        keeps_partitioner: bool,
        f: impl Fn(T) -> Result<U, E> + Closure,
    ) -> Rdd<U> {
        let origin = Origin::here(kind);
        self.narrow(keeps_partitioner, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                for record in chunk.drain(..) {
                    out.push(f(record).map_err(|error| failed(origin, error))?);
                }
                sink(&mut out)
            })
        })
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// As [`Rdd::map_values`], for an `f` that may fail, in the way of [`Rdd::try_map`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let half = |n: i32| if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) };
    /// assert_eq!(context.parallelize(vec![('a', 4)], 1).try_map_values(half).collect()?, [('a', 2)]);
    /// assert!(context.parallelize(vec![('a', 3)], 1).try_map_values(half).collect().is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn try_map_values<U: Record, E: Into<AnyError>>(&self, f: impl Fn(V) -> Result<U, E> + Closure) -> Rdd<(K, U)> {
        self.try_map_as("try_map_values", true, move |(key, value)| f(value).map(|value| (key, value)))
    }
}
