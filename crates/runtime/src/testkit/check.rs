//! [`check`]: batches in, a program, batches out; Spark's `testOperation`.

use super::both_engines::CheckOnBothEngines;
use super::{TestEnv, test_input};
use crate::conf::Conf;
use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::time::Time;
use headwater_core::{Data, Result};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The batch interval of every check.
const BATCH: Duration = Duration::from_secs(1);

/// Runs `program` on the input, one batch a second, and asserts that each batch comes out as expected. A stream that
/// slides in longer steps has no RDD in some batches: what is expected are the others. The order of records within a
/// batch does not count; [`Check::in_order`] makes it count.
///
/// ```
/// use headwater::{prelude::*, testkit::check};
/// check([vec![1, 2], vec![], vec![3]], |numbers| numbers.map(|x| x + 1), [vec![2, 3], vec![], vec![4]]);
/// let in_pairs = |numbers: DStream<i32>| numbers.window((seconds(2), seconds(2)));
/// check([vec![1], vec![2], vec![3], vec![4]], in_pairs, [vec![1, 2], vec![3, 4]]);
/// ```
///
/// ```should_panic
/// use headwater::testkit::check;
/// check([vec![1]], |numbers| numbers.map(|x| x + 1), [vec![1]]);
/// ```
#[track_caller]
pub fn check<T: Data, U: Data + PartialEq + Debug>(
    input: impl IntoIterator<Item = Vec<T>>,
    program: impl FnOnce(DStream<T>) -> DStream<U>,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    Check::new().run(input, program, expected);
}

/// As [`check`], for a program with two inputs.
///
/// ```
/// use headwater::{testkit::check_two, DStream};
/// let program = |left: DStream<i32>, right: DStream<i32>| left.union(&right);
/// check_two([vec![1], vec![2]], [vec![3], vec![]], program, [vec![1, 3], vec![2]]);
/// ```
#[track_caller]
pub fn check_two<A: Data, B: Data, U: Data + PartialEq + Debug>(
    left: impl IntoIterator<Item = Vec<A>>,
    right: impl IntoIterator<Item = Vec<B>>,
    program: impl FnOnce(DStream<A>, DStream<B>) -> DStream<U>,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    Check::new().run_two(left, right, program, expected);
}

/// What a program with outputs of its own prints for the input.
///
/// ```
/// use headwater::testkit::printed;
/// assert!(printed([vec![7]], |numbers| numbers.print()).contains("Time: 1000 ms"));
/// ```
pub fn printed<T: Data, R>(input: impl IntoIterator<Item = Vec<T>>, program: impl FnOnce(DStream<T>) -> R) -> String {
    let (check, env) = (Check::new(), TestEnv::new());
    let input: Vec<_> = input.into_iter().map(Some).collect();
    let batches = input.len();
    let ssc = check.context(&env);
    program(test_input(&ssc, input, check.input_partitions));
    advance(ssc, &env, batches).unwrap_or_else(|error| panic!("the program failed: {error}"));
    env.printed()
}

/// The settings of a check.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    pub(super) input_partitions: usize,
    pub(super) threads: usize,
    in_order: bool,
}
impl Default for Check {
    fn default() -> Self {
        Check::new()
    }
}

impl Check {
    /// Two input partitions, two task threads, any order within a batch.
    pub fn new() -> Check {
        Check { input_partitions: 2, threads: 2, in_order: false }
    }
    /// Into how many partitions each input batch is cut.
    pub fn input_partitions(mut self, partitions: usize) -> Check {
        self.input_partitions = partitions;
        self
    }
    /// How many task threads there are.
    pub fn threads(mut self, threads: usize) -> Check {
        self.threads = threads;
        self
    }
    /// Makes the order of records within a batch count.
    ///
    /// ```should_panic
    /// use headwater::testkit::Check;
    /// Check::new().in_order().run([vec![1, 2]], |numbers| numbers, [vec![2, 1]]);
    /// ```
    pub fn in_order(mut self) -> Check {
        self.in_order = true;
        self
    }

    /// As [`check`], with these settings.
    #[track_caller]
    pub fn run<T: Data, U: Data + PartialEq + Debug>(
        &self,
        input: impl IntoIterator<Item = Vec<T>>,
        program: impl FnOnce(DStream<T>) -> DStream<U>,
        expected: impl IntoIterator<Item = Vec<U>>,
    ) {
        let got = self.output(input.into_iter().map(Some), program);
        self.compare(got, expected);
    }

    /// As [`check_two`], with these settings.
    #[track_caller]
    pub fn run_two<A: Data, B: Data, U: Data + PartialEq + Debug>(
        &self,
        left: impl IntoIterator<Item = Vec<A>>,
        right: impl IntoIterator<Item = Vec<B>>,
        program: impl FnOnce(DStream<A>, DStream<B>) -> DStream<U>,
        expected: impl IntoIterator<Item = Vec<U>>,
    ) {
        let right: Vec<_> = right.into_iter().map(Some).collect();
        let partitions = self.input_partitions;
        let got =
            self.output_of(left.into_iter().map(Some), |ssc, left| program(left, test_input(ssc, right, partitions)));
        self.compare(got, expected);
    }

    /// What comes out: one element per input batch, `None` where there was no RDD; or the job's error. An input
    /// element `None` is a batch without an RDD.
    ///
    /// ```
    /// use headwater::testkit::Check;
    /// let out = Check::new().output([Some(vec![1]), None], |numbers: headwater::DStream<i32>| numbers.count());
    /// assert_eq!(out.unwrap(), [Some(vec![1]), None]);
    /// ```
    pub fn output<T: Data, U: Data>(
        &self,
        input: impl IntoIterator<Item = Option<Vec<T>>>,
        program: impl FnOnce(DStream<T>) -> DStream<U>,
    ) -> Result<Vec<Option<Vec<U>>>> {
        self.output_of(input, |_, stream| program(stream))
    }

    fn output_of<T: Data, U: Data>(
        &self,
        input: impl IntoIterator<Item = Option<Vec<T>>>,
        program: impl FnOnce(&StreamingContext, DStream<T>) -> DStream<U>,
    ) -> Result<Vec<Option<Vec<U>>>> {
        let (env, input) = (TestEnv::new(), input.into_iter().collect::<Vec<_>>());
        let ssc = self.context(&env);
        let batches = input.len();
        let stream = program(&ssc, test_input(&ssc, input, self.input_partitions));
        collected(ssc, &stream, &env, batches)
    }

    /// The same check on both engines.
    ///
    /// ```
    /// use headwater::{DStream, testkit::Check};
    /// let program = |numbers: DStream<u64>| numbers.map(|n| (n % 2, n)).reduce_by_key(|a, b| a + b);
    /// Check::new().input_partitions(3).on_both_engines().run([vec![1, 2, 3]], program, [vec![(1, 4), (0, 2)]]);
    /// ```
    pub fn on_both_engines(self) -> CheckOnBothEngines {
        CheckOnBothEngines(self)
    }

    fn context(&self, env: &TestEnv) -> StreamingContext {
        let conf = Conf::new().master(format!("local[{}]", self.threads));
        StreamingContext::with_env(conf, BATCH, env.env()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    pub(super) fn compare<U: PartialEq + Debug>(
        &self,
        got: Result<Vec<Option<Vec<U>>>>,
        expected: impl IntoIterator<Item = Vec<U>>,
    ) {
        let got = got.unwrap_or_else(|error| panic!("the program failed: {error}"));
        let expected: Vec<Vec<U>> = expected.into_iter().collect();
        let made: Vec<_> = got.iter().flatten().collect();
        let equal =
            |(got, expected): (&&Vec<U>, &Vec<U>)| *got == expected || !self.in_order && same_records(got, expected);
        let all = made.len() == expected.len() && made.iter().zip(&expected).all(equal);
        assert!(all, "the output differs\n  expected: {expected:?}\n       got: {got:?}");
    }
}

/// Runs the context for `batches` batches: what each batch of `stream` holds.
pub(super) fn collected<U: Data>(
    ssc: StreamingContext,
    stream: &DStream<U>,
    env: &TestEnv,
    batches: usize,
) -> Result<Vec<Option<Vec<U>>>> {
    let collected = Arc::new(Mutex::new(BTreeMap::new()));
    let sink = collected.clone();
    stream.foreach_rdd(move |rdd, time| -> Result<()> {
        let records = rdd.collect()?;
        sink.lock().unwrap_or_else(PoisonError::into_inner).insert(time, records);
        Ok(())
    });
    advance(ssc, env, batches)?;
    let mut collected = std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((1..=batches as i64).map(|number| collected.remove(&Time::from_millis(1000 * number))).collect())
}

/// Whether both have the same records, equal ones equally often.
fn same_records<U: PartialEq>(got: &[U], expected: &[U]) -> bool {
    let mut left: Vec<&U> = got.iter().collect();
    let taken = |record: &U| left.iter().position(|other| *other == record).map(|at| left.swap_remove(at)).is_some();
    got.len() == expected.len() && expected.iter().all(taken)
}

/// Runs the context for `batches` batches, one after the other.
fn advance(ssc: StreamingContext, env: &TestEnv, batches: usize) -> Result<()> {
    let running = ssc.start()?;
    for batch in 1..=batches {
        env.clock.advance(BATCH);
        running.await_batches(batch as u64)?;
    }
    running.stop_gracefully()
}
