//! `first` and `to_local_iterator`: a dataset read from its start.

use super::Rdd;
use crate::{Data, Error, ErrorKind, Record, Result};
use std::iter::FusedIterator;

impl<T: Record> Rdd<T> {
    /// The first record in the order of partitions. An empty dataset is an error; [`Rdd::take`] gives nothing then.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![3, 1, 2], 2).first()?, 3);
    /// let error = context.empty_rdd::<u64>().first().unwrap_err();
    /// assert_eq!(error.to_string(), "first() of a dataset without records; take(1) gives none instead of an error");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn first(&self) -> Result<T>
    where
        T: Data,
    {
        let none = "first() of a dataset without records; take(1) gives none instead of an error";
        self.take(1)?.pop().ok_or_else(|| Error::new(ErrorKind::Data, none))
    }

    /// All records in the order of partitions, one partition in memory at a time: each is computed by a job of its
    /// own when the one before is used up. After an error there are no more. What shuffles have brought together is
    /// kept meanwhile.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((0..1000).collect(), 10).to_local_iterator();
    /// let large: Result<Vec<i32>, _> = numbers.skip_while(|n| matches!(n, Ok(n) if *n < 997)).collect();
    /// assert_eq!(large?, [997, 998, 999]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn to_local_iterator(&self) -> LocalIterator<T>
    where
        T: Data,
    {
        self.keep_shuffles();
        LocalIterator { rdd: self.clone(), next: 0, records: Vec::new().into_iter() }
    }
}

/// The records of [`Rdd::to_local_iterator`].
pub struct LocalIterator<T> {
    rdd: Rdd<T>,
    /// The partition to compute next.
    next: usize,
    /// What is left of the one before.
    records: std::vec::IntoIter<T>,
}
impl<T: Data> Iterator for LocalIterator<T> {
    type Item = Result<T>;
    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(record) = self.records.next() {
                return Some(Ok(record));
            }
            if self.next == self.rdd.num_partitions() {
                return None;
            }
            let computed = self.rdd.fold_job_at(self.next..self.next + 1, |all: &mut Vec<T>, chunk| {
                all.append(chunk);
                Ok(())
            });
            match computed {
                Ok(partitions) => self.records = partitions.into_iter().flatten().collect::<Vec<_>>().into_iter(),
                Err(error) => {
                    self.next = self.rdd.num_partitions();
                    return Some(Err(error));
                }
            }
            self.next += 1;
        }
    }
}
impl<T: Data> FusedIterator for LocalIterator<T> {}
