//! How a direct stream's batch comes about in each process: the driver has the ranges that were fixed, a worker fetches
//! them as it begins a task, and each reads the records from the source itself.

use super::graph::DStreamGraph;
use super::handle::DStream;
use super::input_batch::Offer;
use super::node::Tick;
use crate::direct::{DirectInput, DirectSource, OffsetRange};
use crate::origin::{OperatorId, Origin};
use crate::rdd::{CHUNK, FoundShuffles, Node, Outcome, Rdd, Sink, Task};
use crate::time::Time;
use crate::transport::{Role, Transport};
use crate::{Error, ErrorKind, Record, Result};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// The stream of a direct input: a batch has a partition for each of the source's, which holds the records of the
    /// range that was fixed for it. The records need not be `Data`: each process reads those that it works on.
    ///
    /// ```
    /// use headwater::{DStream, direct::DirectInput, dstream::DStreamGraph, prelude::*, testkit};
    /// let graph = std::sync::Arc::new(DStreamGraph::new(testkit::context(), seconds(1)));
    /// let source = testkit::MemorySource::new("letters", 1);
    /// source.append(0, ['a', 'b'])?;
    /// let input = DirectInput::new(source, "letters", seconds(1), None);
    /// let letters = DStream::from_direct(&graph, "letters", input.into());
    /// assert_eq!(letters.slide_duration(), seconds(1));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn from_direct<S: DirectSource<Record = T>>(
        graph: &Arc<DStreamGraph>,
        kind: &'static str,
        input: Arc<DirectInput<S>>,
    ) -> DStream<T> {
        let (context, source) = (graph.context().clone(), input.clone());
        DStream::of_input(graph, kind, input, move |tick| {
            let transport = context.transport();
            let fetched = transport.filter(|transport| transport.role() == Role::Worker).cloned();
            let ranges = match fetched {
                Some(transport) => {
                    let Some(partitions) = transport.input_partitions(tick.operator, tick.time)? else {
                        return Ok(None);
                    };
                    Ranges::Fetched { transport, input: tick.operator, time: tick.time, partitions }
                }
                None => Ranges::Fixed(fixed_ranges(&source, tick.time)?),
            };
            let offered = ranges.offer(transport, tick);
            let rdd = Rdd::from_node(
                &context,
                DirectRanges { source: source.clone(), ranges, input: tick.operator, origin: Origin::here(kind) },
            );
            Ok(Some(match offered {
                Some(offer) => rdd.holding(offer),
                None => rdd,
            }))
        })
    }
}

fn fixed_ranges<S: DirectSource>(input: &DirectInput<S>, time: Time) -> Result<Arc<[OffsetRange]>> {
    let missing = || Error::new(ErrorKind::Internal, format!("no ranges were fixed for batch {time}"));
    input.ranges(time).ok_or_else(missing)
}

/// The range of each partition.
enum Ranges {
    /// On the driver.
    Fixed(Arc<[OffsetRange]>),
    /// On a worker: each is asked for by the task that reads it.
    Fetched { transport: Arc<dyn Transport>, input: OperatorId, time: Time, partitions: usize },
}
impl Ranges {
    /// On the driver of an application of several processes, offers the ranges to the others.
    fn offer(&self, transport: Option<&Arc<dyn Transport>>, tick: &Tick) -> Option<Offer> {
        let (Ranges::Fixed(ranges), Some(transport)) = (self, transport) else { return None };
        let (count, ranges) = (ranges.len(), ranges.clone());
        let partition = move |partition: usize| match ranges.get(partition) {
            Some(range) => Ok(range.to_bytes()),
            None => Err(Error::new(ErrorKind::Internal, format!("a batch has no partition {partition}"))),
        };
        transport.offer_input(tick.operator, tick.time, Some((count, Arc::new(partition))));
        Some(Offer::new(transport, tick))
    }
    fn len(&self) -> usize {
        match self {
            Ranges::Fixed(ranges) => ranges.len(),
            Ranges::Fetched { partitions, .. } => *partitions,
        }
    }
    fn of(&self, partition: usize) -> Result<OffsetRange> {
        match self {
            Ranges::Fixed(ranges) => Ok(ranges[partition]),
            Ranges::Fetched { transport, input, time, .. } => {
                OffsetRange::from_bytes(&transport.input_partition(*input, *time, partition)?)
            }
        }
    }
}

/// Reads a range for each partition.
struct DirectRanges<S> {
    source: Arc<DirectInput<S>>,
    ranges: Ranges,
    input: OperatorId,
    origin: Origin,
}
impl<S: DirectSource> Node<S::Record> for DirectRanges<S> {
    fn num_partitions(&self) -> usize {
        self.ranges.len()
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, S::Record>) -> Outcome {
        task.check()?;
        let range = self.ranges.of(task.partition())?;
        if range.is_empty() {
            return Ok(());
        }
        task.reading(self.input, range, || self.read(range, task, sink))
    }
}
impl<S: DirectSource> DirectRanges<S> {
    fn read(&self, range: OffsetRange, task: &Task<'_>, sink: Sink<'_, S::Record>) -> Outcome {
        let failed = |error: Error| error.within(format!("{} cannot read {range}", self.origin));
        task.enter(self.origin);
        let mut records = self.source.source().read(&range).map_err(failed)?;
        let mut chunk = Vec::with_capacity(records.size_hint().0.clamp(1, CHUNK));
        loop {
            task.check()?;
            task.enter(self.origin);
            for record in records.by_ref().take(CHUNK) {
                chunk.push(record.map_err(failed)?);
            }
            if chunk.is_empty() {
                return Ok(());
            }
            sink(&mut chunk)?;
        }
    }
}
