//! The handle: what the user's program holds and calls operators on.

use super::foreach_rdd::OutputOperation;
use super::graph::DStreamGraph;
use super::input_batch::input_batch;
use super::node::{AnyDStream, DStreamNode, Generated, Header, Tick};
use super::outputs::{MakeJob, SetBatchAside};
use crate::input::InputDStream;
use crate::origin::{in_user_code, on_behalf_of};
use crate::partitioner::{PartitionChoice, Partitioner, Partitioning};
use crate::rdd::{PARTITIONS_MAX, Rdd, RddContext};
use crate::sink::{AnySinkCommits, Commit};
use crate::time::Time;
use crate::{Data, Error, Key, Record, Result};
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// A live stream of `T`, cut into batches: one RDD per batch time. Source: Spark's `DStream`.
///
/// An operator returns a new stream and computes nothing; an output (`print`, `foreach_rdd`, ...) asks for a job per
/// batch. Cloning copies the handle. A stream belongs to the driver: it is not `Send`, so that a closure which
/// captures one does not compile.
pub struct DStream<T> {
    pub(super) node: Arc<DStreamNode<T>>,
    pub(super) graph: Arc<DStreamGraph>,
    _driver: StreamsStayOnTheDriver,
}

/// Makes a type neither `Send` nor `Sync`.
#[derive(Clone, Copy)]
struct StreamsStayOnTheDriver(PhantomData<*const ()>);

impl<T> Clone for DStream<T> {
    fn clone(&self) -> Self {
        DStream { node: self.node.clone(), graph: self.graph.clone(), _driver: self._driver }
    }
}

impl<T: Record> DStream<T> {
    pub(super) fn of_node(graph: &Arc<DStreamGraph>, node: Arc<DStreamNode<T>>) -> DStream<T> {
        DStream { node, graph: graph.clone(), _driver: StreamsStayOnTheDriver(PhantomData) }
    }
    /// The stream of an input: `rdd` makes the batch's RDD from what `source` allocated to it. Its records are `Data`:
    /// on a cluster they travel from the process that has them.
    #[track_caller]
    pub fn from_input(
        graph: &Arc<DStreamGraph>,
        kind: &'static str,
        source: Arc<dyn InputDStream>,
        rdd: impl Fn(Time) -> Result<Option<Rdd<T>>> + Send + Sync + 'static,
    ) -> DStream<T>
    where
        T: Data,
    {
        DStream::of_input(graph, kind, source, input_batch(graph.context(), rdd))
    }

    /// As [`DStream::from_input`]; `compute` says what each process does.
    #[track_caller]
    pub(super) fn of_input(
        graph: &Arc<DStreamGraph>,
        kind: &'static str,
        source: Arc<dyn InputDStream>,
        compute: impl Fn(&Tick) -> Generated<T> + Send + Sync + 'static,
    ) -> DStream<T> {
        let header = Header::new(kind, Location::caller(), graph.batch_duration());
        let node = DStreamNode::new(header, Vec::new(), compute);
        graph.add_input(node.clone(), source);
        DStream { node, graph: graph.clone(), _driver: StreamsStayOnTheDriver(PhantomData) }
    }

    /// Names the last operator for good. State, and later its migration, is found by this name after the program
    /// changed; without one, the name is derived from the operator's place in the graph.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec![1, 2]], |numbers| numbers.map(|x| x + 1).uid("add one"), [vec![2, 3]]);
    /// ```
    pub fn uid(&self, name: impl Into<String>) -> DStream<T> {
        self.graph.name(self.node.header(), name.into());
        self.clone()
    }

    /// The number of partitions of this operator, which shuffles: `reduce_by_key`, `join`, .... It is a setting of the
    /// operator, and so of every handle to it. Its default is `Conf::default_parallelism`. The start fails for 0, and
    /// for an operator that does not choose its partitions.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |words: headwater::DStream<char>| {
    ///     let counts = words.map(|word| (word, 1)).reduce_by_key(|a, b| a + b).with_partitions(3);
    ///     counts.glom().flat_map(|partition| [partition.len()]).reduce(|a, b| a + b)
    /// };
    /// check([vec!['a', 'b', 'a']], program, [vec![2]]);
    /// ```
    pub fn with_partitions(&self, partitions: usize) -> DStream<T> {
        self.choose_partitions("with_partitions", PartitionChoice::Number(partitions))
    }

    /// Refuses a number of partitions that no batch can have.
    pub(super) fn check_partitions(&self, method: &str, partitions: usize) {
        if !(1..=PARTITIONS_MAX).contains(&partitions) {
            let place = self.place();
            self.graph.refuse(Error::program(format!(
                "{place}: {method}({partitions}): a stream has from 1 to {PARTITIONS_MAX} partitions"
            )));
        }
    }

    fn choose_partitions(&self, method: &str, choice: PartitionChoice) -> DStream<T> {
        let (place, operator, partitions) = (self.place(), self.node.header(), choice.num_partitions());
        self.check_partitions(method, partitions);
        if !operator.chooses_partitions() {
            self.graph.refuse(Error::program(format!(
                "{place}: {method}({partitions}) stands behind an operator that does not choose its partitions; put it \
                 right behind one that shuffles, or use repartition({partitions})"
            )));
        }
        if self.graph.may_change(operator, method) {
            operator.set_partitions(choice);
        }
        self.clone()
    }

    /// Every how long this stream yields an RDD.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |numbers: DStream<i32>| {
    ///     assert_eq!(numbers.slide_duration(), Duration::from_secs(1));
    ///     numbers
    /// };
    /// check([vec![1]], program, [vec![1]]);
    /// ```
    pub fn slide_duration(&self) -> Duration {
        self.node.header().slide
    }

    /// What datasets are made with.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |numbers: DStream<i32>| {
    ///     let more = numbers.context().parallelize(vec![10], 1);
    ///     numbers.transform(move |rdd, _| rdd.union(&more))
    /// };
    /// check([vec![1], vec![2]], program, [vec![1, 10], vec![2, 10]]);
    /// ```
    pub fn context(&self) -> &RddContext {
        self.graph.context()
    }

    /// A stream whose RDD is made from this one's of the same time. Without an RDD there it has none either.
    #[track_caller]
    pub(super) fn derive<U: Record>(
        &self,
        kind: &'static str,
        make: impl Fn(Rdd<T>, &Tick) -> Rdd<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        let parent = self.node.clone();
        self.attach(kind, vec![self.node.clone()], move |tick| {
            let Some(rdd) = parent.get_or_compute(tick.time)? else { return Ok(None) };
            Ok(Some(tick.placed(make(rdd, tick))))
        })
    }

    /// As `derive`, from two streams; `make` is called when at least one has an RDD, and the other is empty then.
    #[track_caller]
    pub(super) fn derive_two<O: Record, U: Record>(
        &self,
        kind: &'static str,
        other: &DStream<O>,
        make: impl Fn(Rdd<T>, Rdd<O>, &Tick) -> Rdd<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        self.check_slide(kind, other);
        let (left, right, context) = (self.node.clone(), other.node.clone(), self.context().clone());
        self.attach(kind, vec![self.node.clone(), other.node.clone()], move |tick| {
            let (left, right) = match (left.get_or_compute(tick.time)?, right.get_or_compute(tick.time)?) {
                (None, None) => return Ok(None),
                (left, right) => {
                    (left.unwrap_or_else(|| context.empty_rdd()), right.unwrap_or_else(|| context.empty_rdd()))
                }
            };
            Ok(Some(tick.placed(make(left, right, tick))))
        })
    }

    /// The same stream, whose operator lets the user choose its partitions.
    pub(super) fn choosing_partitions(self) -> DStream<T> {
        self.node.header().let_choose_partitions();
        self
    }

    /// As `choosing_partitions`, for an operator of several steps: what the user chooses is also for `first`, one of the
    /// steps before, whose partitions this one goes on with.
    pub(super) fn choosing_partitions_with<U: Record>(self, first: &DStream<U>) -> DStream<T> {
        self.node.header().share_partitions(first.node.clone());
        self.choosing_partitions()
    }

    /// The last operator and where it was created.
    pub(super) fn place(&self) -> String {
        self.node.header().place()
    }

    #[track_caller]
    pub(super) fn check_slide<O: Record>(&self, kind: &'static str, other: &DStream<O>) {
        let (own, others) = (self.slide_duration(), other.slide_duration());
        if own != others {
            self.graph.refuse(Error::program(format!(
                "{kind} at {}: the streams have different slide durations, {own:?} and {others:?}",
                Location::caller()
            )));
        }
    }

    #[track_caller]
    pub(super) fn attach<U: Record>(
        &self,
        kind: &'static str,
        parents: Vec<Arc<dyn AnyDStream>>,
        compute: impl Fn(&Tick) -> Generated<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        self.attach_sliding(kind, parents, self.slide_duration(), Duration::ZERO, compute)
    }

    /// As `attach`, with an RDD every `slide`, for which parents are asked for theirs of up to `looks_back` earlier.
    #[track_caller]
    pub(super) fn attach_sliding<U: Record>(
        &self,
        kind: &'static str,
        parents: Vec<Arc<dyn AnyDStream>>,
        slide: Duration,
        looks_back: Duration,
        compute: impl Fn(&Tick) -> Generated<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        let header = Header::new(kind, Location::caller(), slide).looking_back(looks_back);
        let node = DStreamNode::new(header, parents, compute);
        self.graph.add_node(node.clone());
        DStream { node, graph: self.graph.clone(), _driver: self._driver }
    }

    /// Registers an output: `make` derives what it needs of the batch's RDD, as an operator does; `run` is the body of
    /// its job on the driver.
    #[track_caller]
    pub(super) fn output<U: Record>(
        &self,
        kind: &'static str,
        make: impl Fn(Rdd<T>, &Tick) -> Rdd<U> + Send + Sync + 'static,
        run: impl Fn(Rdd<U>, Time) -> Result<()> + Send + Sync + 'static,
    ) -> OutputOperation {
        self.output_in_two(kind, make, move |rdd, time| run(rdd, time).map(|()| None), None)
    }

    /// The same for a job that leaves something to `commits`.
    #[track_caller]
    pub(super) fn output_in_two<U: Record>(
        &self,
        kind: &'static str,
        make: impl Fn(Rdd<T>, &Tick) -> Rdd<U> + Send + Sync + 'static,
        run: impl Fn(Rdd<U>, Time) -> Result<Option<Commit>> + Send + Sync + 'static,
        commits: Option<Arc<dyn AnySinkCommits>>,
    ) -> OutputOperation {
        let parent = self.node.clone();
        let node = DStreamNode::new(self.output_header(kind), vec![self.node.clone()], move |tick| {
            Ok(parent.get_or_compute(tick.time)?.map(|rdd| make(rdd, tick)))
        });
        self.add_output(node.clone(), node, run, None, commits)
    }

    /// Registers an output that gives the batch's RDD to the user's code as it is.
    #[track_caller]
    pub(super) fn users_output(
        &self,
        kind: &'static str,
        run: impl Fn(Rdd<T>, Time) -> Result<()> + Send + Sync + 'static,
    ) -> OutputOperation {
        // The user's code may run any number of jobs over the RDD: one more reader makes shuffles keep their data.
        self.node.header().add_reader();
        let parent = self.node.clone();
        let node = DStreamNode::new(self.output_header(kind), vec![self.node.clone()], move |tick| {
            parent.get_or_compute(tick.time)
        });
        let run = move |rdd, time| in_user_code(|| run(rdd, time)).map(|()| None);
        self.add_output(node, self.node.clone(), run, None, None)
    }

    #[track_caller]
    pub(super) fn output_header(&self, kind: &'static str) -> Header {
        Header::new(kind, Location::caller(), self.slide_duration())
    }

    /// Registers the output `node`, which works on what `input` makes.
    pub(super) fn add_output<U: Record>(
        &self,
        node: Arc<DStreamNode<U>>,
        input: Arc<DStreamNode<U>>,
        run: impl Fn(Rdd<U>, Time) -> Result<Option<Commit>> + Send + Sync + 'static,
        set_aside: Option<SetBatchAside>,
        commits: Option<Arc<dyn AnySinkCommits>>,
    ) -> OutputOperation {
        let (output, run) = (node.clone(), Arc::new(run));
        let make_job: MakeJob = Box::new(move |time| {
            let Some(rdd) = input.get_or_compute(time)? else { return Ok(None) };
            let (run, origin) = (run.clone(), output.header().origin());
            let job = move || match origin {
                Some(origin) => on_behalf_of(origin, time, || run(rdd.clone(), time)),
                None => run(rdd.clone(), time),
            };
            Ok(Some(Box::new(job)))
        });
        self.graph.add_output(node.clone(), make_job, set_aside, commits);
        OutputOperation { node, graph: self.graph.clone() }
    }
}

impl<K: Key, V: Record> DStream<(K, V)> {
    /// How this operator, which shuffles by key, spreads its keys; as [`DStream::with_partitions`] with a partitioner
    /// of one's own.
    ///
    /// ```
    /// use headwater::{DStream, Partitioner, testkit::check};
    /// #[derive(PartialEq)]
    /// struct Parity;
    /// impl Partitioner<u64> for Parity {
    ///     fn num_partitions(&self) -> usize { 2 }
    ///     fn partition(&self, key: &u64) -> usize { (key % 2) as usize }
    /// }
    /// let program = |numbers: DStream<u64>| {
    ///     let sums = numbers.map(|n| (n, 1)).reduce_by_key(|a, b| a + b).with_partitioner(Parity);
    ///     sums.glom().map(|partition| partition.len())
    /// };
    /// check([vec![1, 2, 3, 5]], program, [vec![1, 3]]);
    /// ```
    pub fn with_partitioner(&self, partitioner: impl Partitioner<K>) -> DStream<(K, V)> {
        let partitioning = Partitioning::of::<K, _>(partitioner, self.context().seed());
        self.choose_partitions("with_partitioner", PartitionChoice::By(partitioning))
    }
}
