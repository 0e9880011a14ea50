//! `zip_with_index` and `zip_with_unique_id`: numbers for records.

use super::retain::truncate;
use super::{CHUNK, Rdd};
use crate::origin::Origin;
use crate::{Closure, Record, Result};

impl<T: Record> Rdd<T> {
    /// Each record with its number, from 0, in the order of partitions. Where there is more than one partition this
    /// counts the records of all but the last at once, by a job of its own, whose error it returns. The dataset must
    /// give the same records when it is computed again.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let letters = context.parallelize(vec!['a', 'b', 'c'], 2).zip_with_index()?;
    /// assert_eq!(letters.collect()?, [('a', 0), ('b', 1), ('c', 2)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn zip_with_index(&self) -> Result<Rdd<(T, u64)>> {
        let counted = self.num_partitions().saturating_sub(1);
        let counts = if counted == 0 { Vec::new() } else { self.count_first(counted)? };
        let before = |total: &mut u64, count| Some(std::mem::replace(total, *total + count));
        let starts: Vec<u64> = counts.into_iter().chain([0]).scan(0, before).collect();
        Ok(self.numbered("zip_with_index", move |partition, place| starts[partition] + place))
    }

    /// Each record with a number that no other has: those of partition `k` of `n` get `k`, `n + k`, `2 * n + k`, and
    /// so on. There may be gaps, but nothing is counted.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let letters = context.parallelize(vec!['a', 'b', 'c'], 2);
    /// assert_eq!(letters.zip_with_unique_id().collect()?, [('a', 0), ('b', 1), ('c', 3)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn zip_with_unique_id(&self) -> Rdd<(T, u64)> {
        let partitions = self.num_partitions() as u64;
        self.numbered("zip_with_unique_id", move |partition, place| place * partitions + partition as u64)
    }

    /// How many records each of the first `partitions` has. The dataset is read again afterwards.
    fn count_first(&self, partitions: usize) -> Result<Vec<u64>> {
        self.keep_shuffles();
        self.fold_job_at(0..partitions, |count: &mut u64, chunk| {
            *count += chunk.len() as u64;
            truncate(chunk, 0);
            Ok(())
        })
    }

    /// `number` makes a record's number of its partition and its place there.
    #[track_caller]
    fn numbered(&self, kind: &'static str, number: impl Fn(usize, u64) -> u64 + Closure) -> Rdd<(T, u64)> {
        let origin = Origin::here(kind);
        self.narrow(false, move |parent, task, sink| {
            let mut place = 0;
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                let places = place..;
                place += chunk.len() as u64;
                out.extend(chunk.drain(..).zip(places.map(|place| number(task.partition(), place))));
                sink(&mut out)
            })
        })
    }
}
