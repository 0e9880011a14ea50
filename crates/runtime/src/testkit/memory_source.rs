//! [`MemorySource`]: a direct source in memory, which a test fills from outside.

use headwater_core::direct::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets};
use headwater_core::{Error, Record, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbered records in partitions, which a test appends to and drops from while the program runs: what a log broker is
/// to a real program. Cloning copies the handle. Workers that share no memory with the driver reach one in a `static`.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// let (ssc, clock) = testkit::streaming_context();
/// let source = testkit::MemorySource::new("numbers", 2);
/// let (sent, received) = std::sync::mpsc::channel();
/// ssc.direct_stream(source.clone()).foreach_rdd(move |rdd, _| sent.send(rdd.glom().collect().unwrap()).unwrap());
/// source.append(0, [1, 2])?;
/// source.append(1, [10])?;
/// let running = ssc.start()?;
/// clock.advance(seconds(1));
/// assert_eq!(received.recv().unwrap(), [vec![1, 2], vec![10]]);
/// source.append(0, [3])?;
/// clock.advance(seconds(1));
/// assert_eq!(received.recv().unwrap(), [vec![3], vec![]]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct MemorySource<T> {
    name: Arc<str>,
    partitions: Arc<Mutex<Vec<Partition<T>>>>,
}
struct Partition<T> {
    /// In the order of their offsets.
    records: VecDeque<(u64, Arc<T>)>,
    oldest: u64,
    end: u64,
}
impl<T> Partition<T> {
    fn new() -> Partition<T> {
        Partition { records: VecDeque::new(), oldest: 0, end: 0 }
    }
}
impl<T> Clone for MemorySource<T> {
    fn clone(&self) -> Self {
        MemorySource { name: self.name.clone(), partitions: self.partitions.clone() }
    }
}

impl<T> MemorySource<T> {
    /// An empty source that errors call `name`.
    pub fn new(name: &str, partitions: usize) -> MemorySource<T> {
        let partitions = (0..partitions).map(|_| Partition::new()).collect();
        MemorySource { name: name.into(), partitions: Arc::new(Mutex::new(partitions)) }
    }
    /// One more partition, without records; its number.
    pub fn add_partition(&self) -> u32 {
        let mut partitions = self.lock();
        partitions.push(Partition::new());
        partitions.len() as u32 - 1
    }
    /// Appends records, which get the next offsets, from 0 on. An error if there is no such partition, as below.
    pub fn append(&self, partition: u32, records: impl IntoIterator<Item = T>) -> Result<()> {
        // The iterator is the test's code, and runs without the lock.
        let records: Vec<Arc<T>> = records.into_iter().map(Arc::new).collect();
        self.change(partition, |partition| {
            let numbered = (partition.end..).zip(records);
            partition.records.extend(numbered);
            partition.end = partition.records.back().map_or(partition.end, |(offset, _)| offset + 1);
        })
    }
    /// Leaves out offsets: the next record has at least this one.
    pub fn skip_to(&self, partition: u32, offset: u64) -> Result<()> {
        self.change(partition, |partition| partition.end = partition.end.max(offset))
    }
    /// Drops the records below `offset`, at most up to the end: who reads them later gets an error.
    ///
    /// ```
    /// use headwater::{direct::DirectSource, direct::OffsetRange, testkit::MemorySource};
    /// let letters = MemorySource::new("letters", 0);
    /// let partition = letters.add_partition();
    /// letters.append(partition, ['a', 'b'])?;
    /// letters.skip_to(partition, 10)?;
    /// letters.append(partition, ['c'])?;
    /// letters.drop_before(partition, 1)?;
    /// let read = |from, until| letters.read(&OffsetRange { partition, from, until })?.collect::<Result<Vec<_>, _>>();
    /// assert_eq!(read(1, 11)?, ['b', 'c']);
    /// assert!(read(0, 11).unwrap_err().to_string().contains("no longer retained: the partition holds 1..11"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn drop_before(&self, partition: u32, offset: u64) -> Result<()> {
        let dropped = self.change(partition, |partition| {
            partition.oldest = partition.oldest.max(offset.min(partition.end));
            let count = partition.records.partition_point(|(offset, _)| *offset < partition.oldest);
            partition.records.drain(..count).collect::<Vec<_>>()
        });
        dropped.map(drop)
    }

    fn change<R>(&self, partition: u32, change: impl FnOnce(&mut Partition<T>) -> R) -> Result<R> {
        let mut partitions = self.lock();
        let count = partitions.len();
        let missing = || Error::program(format!("{} has no partition {partition}: it has {count}", self.name));
        Ok(change(partitions.get_mut(partition as usize).ok_or_else(missing)?))
    }
    fn lock(&self) -> MutexGuard<'_, Vec<Partition<T>>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn offsets<T>(number: u32, partition: &Partition<T>) -> PartitionOffsets {
    PartitionOffsets { partition: number, oldest: partition.oldest, end: partition.end }
}

impl<T: Record + Clone> DirectSource for MemorySource<T> {
    type Record = T;

    fn name(&self) -> String {
        self.name.to_string()
    }
    fn available(&self, _batch: &BatchRequest<'_>) -> Result<Vec<PartitionOffsets>> {
        Ok((0..).zip(self.lock().iter()).map(|(number, partition)| offsets(number, partition)).collect())
    }
    fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<T>>> {
        let records = self.change(range.partition, |partition| {
            range.check_held(&self.name, &offsets(range.partition, partition))?;
            let at = |offset: u64| partition.records.partition_point(|(other, _)| *other < offset);
            let records = partition.records.range(at(range.from)..at(range.until));
            Ok::<_, Error>(records.map(|(_, record)| record.clone()).collect::<Vec<_>>())
        })??;
        Ok(records.into_iter().map(|record| Ok(T::clone(&record))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &MemorySource<char>, from: u64, until: u64) -> Result<Vec<char>> {
        source.read(&OffsetRange { partition: 0, from, until })?.collect()
    }

    #[test]
    fn offsets_may_have_gaps_and_ranges_of_them_are_empty() {
        let source = MemorySource::new("letters", 1);
        source.append(0, ['a', 'b']).unwrap();
        source.skip_to(0, 5).unwrap();
        source.append(0, ['c']).unwrap();
        assert_eq!(read(&source, 0, 6).unwrap(), ['a', 'b', 'c']);
        assert_eq!(read(&source, 1, 5).unwrap(), ['b']);
        assert_eq!(read(&source, 2, 5).unwrap(), []);
    }

    #[test]
    fn what_was_dropped_is_an_error() {
        let source = MemorySource::new("letters", 1);
        source.append(0, ['a', 'b']).unwrap();
        source.drop_before(0, 1).unwrap();
        let error = read(&source, 0, 2).unwrap_err().to_string();
        assert!(error.starts_with("partition 0, offsets 0..2 of letters are no longer retained"), "{error}");
        assert!(error.contains("the partition holds 1..2"), "{error}");
        assert_eq!(read(&source, 1, 2).unwrap(), ['b']);
        source.drop_before(0, 9).unwrap();
        source.append(0, ['c']).unwrap();
        assert_eq!(read(&source, 2, 3).unwrap(), ['c']);
        assert_eq!(source.append(1, ['d']).unwrap_err().to_string(), "letters has no partition 1: it has 1");
    }
}
