//! [`check_on_both_engines`]: a check on the local and on the isolated engine.

use super::check::{Check, collected};
use super::isolated::{IsolatedProgram, isolated_context};
use super::{TestEnv, test_input};
use headwater_core::dstream::DStream;
use headwater_core::{Data, Result, wire};
use std::fmt::Debug;
use std::sync::Arc;

/// A [`Check`] that runs on the local engine and on the isolated one, whose workers share no memory with the driver.
#[derive(Clone, Copy)]
pub struct CheckOnBothEngines(pub(super) Check);

/// As [`check`](super::check), on both engines: a program that passes is fit for a cluster. It may capture only what is
/// `Copy`; see [`isolated`](super::isolated).
///
/// ```
/// use headwater::testkit::check_on_both_engines;
/// check_on_both_engines([vec![1, 2], vec![]], |numbers| numbers.map(|x| x + 1), [vec![2, 3], vec![]]);
/// ```
#[track_caller]
pub fn check_on_both_engines<T: Data, U: Data + PartialEq + Debug>(
    input: impl IntoIterator<Item = Vec<T>>,
    program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    Check::new().on_both_engines().run(input, program, expected);
}

/// As [`check_on_both_engines`], for a program with two inputs.
///
/// ```
/// use headwater::{DStream, testkit::check_two_on_both_engines};
/// let program = |left: DStream<(char, i32)>, right: DStream<(char, bool)>| left.join(&right);
/// check_two_on_both_engines([vec![('a', 1)]], [vec![('a', true)]], program, [vec![('a', (1, true))]]);
/// ```
#[track_caller]
pub fn check_two_on_both_engines<A: Data, B: Data, U: Data + PartialEq + Debug>(
    left: impl IntoIterator<Item = Vec<A>>,
    right: impl IntoIterator<Item = Vec<B>>,
    program: impl Fn(DStream<A>, DStream<B>) -> DStream<U> + IsolatedProgram,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    Check::new().on_both_engines().run_two(left, right, program, expected);
}

impl CheckOnBothEngines {
    /// As [`check_on_both_engines`], with the settings of the check; its task threads are as many workers.
    #[track_caller]
    pub fn run<T: Data, U: Data + PartialEq + Debug>(
        &self,
        input: impl IntoIterator<Item = Vec<T>>,
        program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
        expected: impl IntoIterator<Item = Vec<U>>,
    ) {
        let (input, expected) =
            (input.into_iter().map(Some).collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        self.0.compare(self.0.output(input.clone(), program), expected.clone());
        self.0.compare(self.isolated_output(input, program), expected);
    }

    /// As [`check_two_on_both_engines`], with the settings of the check.
    #[track_caller]
    pub fn run_two<A: Data, B: Data, U: Data + PartialEq + Debug>(
        &self,
        left: impl IntoIterator<Item = Vec<A>>,
        right: impl IntoIterator<Item = Vec<B>>,
        program: impl Fn(DStream<A>, DStream<B>) -> DStream<U> + IsolatedProgram,
        expected: impl IntoIterator<Item = Vec<U>>,
    ) {
        let (left, right): (Vec<_>, Vec<_>) = (left.into_iter().collect(), right.into_iter().collect());
        let expected: Vec<_> = expected.into_iter().collect();
        self.0.run_two(left.clone(), right.clone(), program, expected.clone());
        let (batches, partitions, env) = (left.len(), self.0.input_partitions, TestEnv::new());
        let input = Arc::new(wire::encode(&(left, right)).unwrap_or_else(|error| panic!("the input: {error}")));
        let (ssc, stream) = isolated_context(&env, self.0.threads, move |ssc| {
            let (left, right): (Vec<Vec<A>>, Vec<Vec<B>>) = wire::decode(&input).expect("it was written just now");
            let left = test_input(ssc, left.into_iter().map(Some).collect(), partitions);
            program(left, test_input(ssc, right.into_iter().map(Some).collect(), partitions))
        });
        self.0.compare(collected(ssc, &stream, &env, batches), expected);
    }

    /// What comes out on each engine, the local one first; as [`Check::output`].
    ///
    /// ```
    /// use headwater::{DStream, testkit::Check};
    /// let program = |numbers: DStream<i32>| numbers.count();
    /// for out in Check::new().on_both_engines().outputs([Some(vec![1]), None], program) {
    ///     assert_eq!(out?, [Some(vec![1]), None]);
    /// }
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn outputs<T: Data, U: Data>(
        &self,
        input: impl IntoIterator<Item = Option<Vec<T>>>,
        program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
    ) -> [Result<Vec<Option<Vec<U>>>>; 2] {
        let input: Vec<_> = input.into_iter().collect();
        [self.0.output(input.clone(), program), self.isolated_output(input, program)]
    }

    fn isolated_output<T: Data, U: Data>(
        &self,
        input: Vec<Option<Vec<T>>>,
        program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
    ) -> Result<Vec<Option<Vec<U>>>> {
        let (batches, partitions, env) = (input.len(), self.0.input_partitions, TestEnv::new());
        let input = Arc::new(wire::encode(&input)?);
        let (ssc, stream) = isolated_context(&env, self.0.threads, move |ssc| {
            let input = wire::decode(&input).expect("it was written just now");
            program(test_input(ssc, input, partitions))
        });
        collected(ssc, &stream, &env, batches)
    }
}
