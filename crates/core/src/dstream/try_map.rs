//! `try_map` and its kin on a stream: closures that return a `Result`. An `Err` fails the batch's outputs behind it,
//! as a panic would.

use super::DStream;
use crate::rdd::PartitionRecords;
use crate::{Closure, Record, Result};
use std::error::Error;
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// As [`DStream::map`], for an `f` that may fail. A task that fails is tried again; when it has failed as often as
    /// it may, the output's error has the text of `f`'s error, the operator, its place in the program, the batch and
    /// the partition.
    ///
    /// ```
    /// use headwater::{testkit::{check, Check}, DStream, Text};
    /// let program = |texts: DStream<Text>| texts.try_map(|text| text.parse::<u32>());
    /// check([vec![Text::from("1"), Text::from("2")]], program, [vec![1, 2]]);
    /// let error = Check::new().output([Some(vec![Text::from("3x")])], program).unwrap_err().to_string();
    /// assert!(error.contains("try_map at ") && error.ends_with("failed: invalid digit found in string"));
    /// ```
    #[track_caller]
    pub fn try_map<U: Record, E>(&self, f: impl Fn(T) -> Result<U, E> + Closure) -> DStream<U>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let f = Arc::new(f);
        self.derive("try_map", move |rdd, _| {
            let f = f.clone();
            rdd.try_map(move |record| f(record))
        })
    }

    /// As [`DStream::filter`], for a `keep` that may fail, in the way of [`DStream::try_map`].
    ///
    /// ```
    /// use headwater::{testkit::check, DStream};
    /// let even = |n: &i32| if *n < 0 { Err(format!("{n} is below 0")) } else { Ok(n % 2 == 0) };
    /// check([vec![1, 2, 3, 4]], |numbers| numbers.try_filter(even), [vec![2, 4]]);
    /// ```
    #[track_caller]
    pub fn try_filter<E>(&self, keep: impl Fn(&T) -> Result<bool, E> + Closure) -> DStream<T>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let keep = Arc::new(keep);
        self.derive("try_filter", move |rdd, _| {
            let keep = keep.clone();
            rdd.try_filter(move |record| keep(record))
        })
    }

    /// As [`DStream::flat_map`], for an `f` that may fail, in the way of [`DStream::try_map`].
    ///
    /// ```
    /// use headwater::{testkit::check, Text};
    /// let numbers = |line: Text| line.split(' ').map(|word| word.parse()).collect::<Result<Vec<u32>, _>>();
    /// check([vec![Text::from("1 2"), Text::from("3")]], |lines| lines.try_flat_map(numbers), [vec![1, 2, 3]]);
    /// ```
    #[track_caller]
    pub fn try_flat_map<I, E>(&self, f: impl Fn(T) -> Result<I, E> + Closure) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let f = Arc::new(f);
        self.derive("try_flat_map", move |rdd, _| {
            let f = f.clone();
            rdd.try_flat_map(move |record| f(record))
        })
    }

    /// As [`DStream::map_partitions`], for an `f` that may fail, in the way of [`DStream::try_map`].
    ///
    /// ```
    /// use headwater::{rdd::PartitionRecords, testkit::Check, DStream};
    /// let first = |mut records: PartitionRecords<i32>| records.next().map(Some).ok_or("an empty partition");
    /// let check = Check::new().input_partitions(2);
    /// check.run([vec![1, 2, 3, 4]], |numbers| numbers.try_map_partitions(first), [vec![1, 3]]);
    /// let error = check.output([Some(vec![1])], |numbers| numbers.try_map_partitions(first)).unwrap_err();
    /// assert!(error.to_string().ends_with("failed: an empty partition"));
    /// ```
    #[track_caller]
    pub fn try_map_partitions<I, E>(
        &self,
        f: impl Fn(PartitionRecords<T>) -> Result<I, E> + Closure,
    ) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let f = Arc::new(f);
        self.derive("try_map_partitions", move |rdd, _| {
            let f = f.clone();
            rdd.try_map_partitions(move |records| f(records))
        })
    }
}

impl<K: Record, V: Record> DStream<(K, V)> {
    /// As [`DStream::map_values`], for an `f` that may fail, in the way of [`DStream::try_map`].
    ///
    /// ```
    /// use headwater::{testkit::check, DStream};
    /// let half = |n: i32| if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) };
    /// check([vec![('a', 4)]], |pairs| pairs.try_map_values(half), [vec![('a', 2)]]);
    /// ```
    #[track_caller]
    pub fn try_map_values<U: Record, E>(&self, f: impl Fn(V) -> Result<U, E> + Closure) -> DStream<(K, U)>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let f = Arc::new(f);
        self.derive("try_map_values", move |rdd, _| {
            let f = f.clone();
            rdd.try_map_values(move |value| f(value))
        })
    }
}
