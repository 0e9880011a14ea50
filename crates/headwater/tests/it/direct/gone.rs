//! Sources that fail, and records that are no longer there.

use super::{context, partitions_of};
use headwater::direct::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets};
use headwater::prelude::*;
use headwater::testkit::{MemorySource, test_input};
use headwater::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn what_was_dropped_before_a_batch_had_it_is_an_error_and_other_partitions_go_on() {
    let (ssc, env) = context(Conf::new().max_rate_per_partition(2));
    let numbers = MemorySource::new("numbers", 2);
    numbers.append(0, 0..5).unwrap();
    numbers.append(1, 10..15).unwrap();
    let place = line!() + 1;
    let received = partitions_of(&ssc.direct_stream(numbers.clone()));
    let running = ssc.start().unwrap();
    let batch = |number| {
        env.clock.advance(seconds(1));
        running.await_batches(number)
    };
    batch(1).unwrap();
    numbers.drop_before(0, 4).unwrap();
    let error = batch(2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    for part in [
        &format!("direct_stream at crates/headwater/tests/it/direct/gone.rs:{place}:"),
        "batch 2000 ms: nothing was taken",
        "partition 0, offsets 2..5 of numbers are no longer retained: the partition holds 4..5",
    ] {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
    // It is told once.
    batch(3).unwrap();
    running.stop().unwrap();
    let expected = [[vec![0, 1], vec![10, 11]], [vec![], vec![12, 13]], [vec![], vec![14]]];
    assert_eq!(received.try_iter().collect::<Vec<_>>(), expected);
    assert!(env.warnings().is_empty(), "{:?}", env.warnings());
}

#[test]
fn what_was_dropped_before_a_task_read_it_fails_the_output() {
    let (ssc, env) = context(Conf::new());
    let numbers = MemorySource::new("numbers", 1);
    numbers.append(0, 0..5).unwrap();
    let source = numbers.clone();
    let stream = ssc.direct_stream(numbers.clone()).transform(move |rdd, time| {
        if time == Time::from_millis(1000) {
            source.drop_before(0, 3).unwrap();
        }
        rdd
    });
    let received = partitions_of(&stream);
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    let error = running.await_batches(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    for part in ["cannot read partition 0, offsets 0..5: partition 0, offsets 0..5 of numbers are no longer", "3..5"] {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
    // No record is given that the range has not; the next batch goes on behind it.
    numbers.append(0, [5]).unwrap();
    env.clock.advance(seconds(1));
    running.await_batches(2).unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [[[5]]]);
}

/// A source that does not answer while it is away.
struct Broker {
    source: MemorySource<u64>,
    is_away: Arc<AtomicBool>,
}
impl DirectSource for Broker {
    type Record = u64;
    fn name(&self) -> String {
        self.source.name()
    }
    fn available(&self, batch: &BatchRequest) -> Result<Vec<PartitionOffsets>> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Outside, "the broker is away"));
        }
        self.source.available(batch)
    }
    fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<u64>>> {
        self.source.read(range)
    }
}

#[test]
fn while_a_source_does_not_answer_other_inputs_and_states_go_on_and_it_catches_up() {
    let (ssc, env) = context(Conf::new());
    let (source, is_away) = (MemorySource::new("numbers", 1), Arc::new(AtomicBool::new(false)));
    let numbers = ssc.direct_stream(Broker { source: source.clone(), is_away: is_away.clone() });
    let others = test_input(&ssc, (1..=4).map(|n| Some(vec![n * 1000])).collect(), 1);
    let all = numbers.union(&others).map(|n| ((), n));
    let totals = all.update_state_by_key(|values, total| Some(values.iter().sum::<u64>() + total.unwrap_or(&0)));
    let received = partitions_of(&totals.map(|(_, total)| total));
    let running = ssc.start().unwrap();
    let batch = |number, away| {
        source.append(0, [number]).unwrap();
        is_away.store(away, Ordering::Relaxed);
        env.clock.advance(seconds(1));
        running.await_batches(number)
    };
    batch(1, false).unwrap();
    let error = batch(2, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outside);
    assert!(error.to_string().ends_with("batch 2000 ms: nothing was taken: the broker is away"), "{error}");
    batch(3, true).unwrap();
    batch(4, false).unwrap();
    running.stop().unwrap();
    let totals: Vec<u64> = received.try_iter().map(|partitions| partitions.concat()[0]).collect();
    assert_eq!(totals, [1001, 3001, 6001, 10_010]);
}
