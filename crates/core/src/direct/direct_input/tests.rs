//! The ranges of batches, over a source whose answers the test chooses.

use super::*;
use crate::direct::PartitionOffsets;
use crate::listener::StreamingEvent;

#[derive(Default)]
struct Letters {
    held: Mutex<Vec<PartitionOffsets>>,
    /// What was asked: the time, and since when.
    asked: Mutex<Vec<(i64, i64)>>,
}
impl Letters {
    fn hold(&self, held: &[(u32, u64, u64)]) {
        let held = held.iter().map(|(partition, oldest, end)| PartitionOffsets {
            partition: *partition,
            oldest: *oldest,
            end: *end,
        });
        *self.held.lock().unwrap() = held.collect();
    }
}
impl DirectSource for Arc<Letters> {
    type Record = char;
    fn name(&self) -> String {
        "letters".to_owned()
    }
    fn available(&self, batch: &BatchRequest<'_>) -> Result<Vec<PartitionOffsets>> {
        self.asked.lock().unwrap().push((batch.time().milliseconds(), batch.since().milliseconds()));
        let held = self.held.lock().unwrap().clone();
        assert_ne!(held, [PartitionOffsets { partition: 99, oldest: 0, end: 0 }], "no partition 99");
        Ok(held)
    }
    fn read(&self, _range: &OffsetRange) -> Result<impl Iterator<Item = Result<char>>> {
        Ok(std::iter::empty())
    }
}

#[derive(Default)]
struct Host(Mutex<Vec<String>>);
impl InputHost for Host {
    fn post(&self, _event: StreamingEvent) {}
    fn report_error(&self, error: Error) {
        self.0.lock().unwrap().push(error.to_string());
    }
    fn claim_thread(&self) {}
}

fn at(second: i64) -> Time {
    Time::from_millis(1000 * second)
}
fn started(rate: Option<u64>) -> (DirectInput<Arc<Letters>>, Arc<Letters>, Arc<Host>) {
    let (letters, host) = (Arc::<Letters>::default(), Arc::<Host>::default());
    let input = DirectInput::new(letters.clone(), "here", Duration::from_secs(1), rate);
    input.start(StreamId::new(0), host.clone()).unwrap();
    (input, letters, host)
}
fn ranges(input: &DirectInput<Arc<Letters>>, time: Time) -> Vec<(u32, u64, u64)> {
    let ranges = input.ranges(time).unwrap();
    ranges.iter().map(|range| (range.partition, range.from, range.until)).collect()
}

#[test]
fn each_batch_goes_on_where_the_last_one_ended() {
    let (input, letters, _) = started(None);
    input.allocate(at(1)).unwrap();
    letters.hold(&[(0, 0, 3)]);
    input.allocate(at(2)).unwrap();
    letters.hold(&[(0, 2, 5), (1, 4, 5)]);
    input.allocate(at(3)).unwrap();
    assert_eq!([1, 2, 3].map(|n| ranges(&input, at(n))), [vec![], vec![(0, 0, 3)], vec![(0, 3, 5), (1, 4, 5)]]);
    input.processed(at(2));
    assert!(input.ranges(at(2)).is_none() && input.ranges(at(3)).is_some());
    assert_eq!(*letters.asked.lock().unwrap(), [(1000, 0), (2000, 1000), (3000, 2000)]);
}

#[test]
fn listeners_hear_of_ranges_and_lag() {
    let (input, letters, _) = started(Some(2));
    letters.hold(&[(0, 0, 5), (1, 0, 0), (2, 7, 8)]);
    input.allocate(at(1)).unwrap();
    let info = input.info(StreamId::new(4), at(1)).unwrap();
    assert_eq!((info.input_stream_id, info.num_records, info.lag), (StreamId::new(4), 3, Some(3)));
    assert_eq!(info.metadata_description(), Some("partition 0, offsets 0..2\npartition 2, offsets 7..8"));
    let (many, letters, _) = started(None);
    letters.hold(&(0..1002).map(|partition| (partition, 0, 1)).collect::<Vec<_>>());
    many.allocate(at(1)).unwrap();
    let info = many.info(StreamId::new(0), at(1)).unwrap();
    assert!(info.metadata_description().unwrap().ends_with("partition 999, offsets 0..1\nand of 2 more partitions"));
}

#[test]
fn a_source_that_fails_is_told_once_and_asked_again() {
    let (input, letters, host) = started(None);
    letters.hold(&[(0, 0, 3)]);
    input.allocate(at(1)).unwrap();
    letters.hold(&[(99, 0, 0)]);
    input.allocate(at(2)).unwrap();
    input.allocate(at(3)).unwrap();
    assert_eq!([2, 3].map(|n| ranges(&input, at(n))), [[(0, 3, 3)], [(0, 3, 3)]]);
    assert_eq!(input.info(StreamId::new(0), at(2)).unwrap().lag, None);
    letters.hold(&[(0, 0, 4)]);
    input.allocate(at(4)).unwrap();
    assert_eq!(ranges(&input, at(4)), [(0, 3, 4)]);
    letters.hold(&[(99, 0, 0)]);
    input.allocate(at(5)).unwrap();
    let told = host.0.lock().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("here, batch 2000 ms: nothing was taken: the source panicked: "), "{}", told[0]);
    assert!(told[0].contains("no partition 99") && told[1].starts_with("here, batch 5000 ms"), "{told:?}");
}

#[test]
fn restored_batches_have_their_ranges_and_later_ones_go_on_behind_the_newest() {
    let (input, letters, _) = started(None);
    letters.hold(&[(0, 0, 3), (1, 0, 1)]);
    input.allocate(at(1)).unwrap();
    letters.hold(&[(0, 0, 5), (1, 0, 1)]);
    input.allocate(at(2)).unwrap();
    let stored = [1, 2].map(|n| (at(n), input.allocation(at(n)).unwrap()));
    input.processed(at(1));
    assert_eq!(input.allocation(at(1)), None);

    let (again, letters, _) = started(None);
    // In any order.
    stored.iter().rev().for_each(|(time, bytes)| again.restore(*time, bytes).unwrap());
    letters.hold(&[(0, 0, 9), (1, 0, 2), (2, 5, 6)]);
    (1..=2).for_each(|n| again.allocate(at(n)).unwrap());
    assert_eq!([1, 2].map(|n| again.allocation(at(n)).unwrap()), stored.map(|(_, bytes)| bytes));
    assert_eq!(ranges(&again, at(2)), [(0, 3, 5), (1, 1, 1)]);
    assert_eq!(again.info(StreamId::new(0), at(2)).unwrap().num_records, 2);
    // A batch that was missed before the newest restored one has nothing; a later one all that is behind it.
    again.allocate(at(0)).unwrap();
    again.allocate(at(7)).unwrap();
    assert_eq!(ranges(&again, at(0)), [(0, 5, 5), (1, 1, 1)]);
    assert_eq!(ranges(&again, at(7)), [(0, 5, 9), (1, 1, 2), (2, 5, 6)]);
    assert_eq!(*letters.asked.lock().unwrap(), [(7000, 2000)]);
}

#[test]
fn a_damaged_allocation_is_refused_and_changes_nothing() {
    let (input, letters, _) = started(None);
    let error = input.restore(at(3), &[1, 1]).unwrap_err().to_string();
    assert_eq!(error, "here, batch 3000 ms: no allocation of ranges: 2 bytes are too few");
    letters.hold(&[(0, 0, 3)]);
    input.allocate(at(1)).unwrap();
    assert_eq!(ranges(&input, at(1)), [(0, 0, 3)]);
}
