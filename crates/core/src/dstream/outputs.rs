//! The outputs of a graph: what each batch asks of them, as jobs, and the sinks that some of them have.

use super::DStreamGraph;
use super::graph::Stateful;
use super::node::{AnyDStream, address};
use crate::origin::OperatorId;
use crate::sink::{AnySinkCommits, Commit, FailurePolicy};
use crate::time::Time;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One output operation of one batch, ready to run.
pub struct BatchJob {
    /// The position of the output among the graph's outputs; behind them are the operators with state, which have a job of
    /// their own where no output has computed them for some time, or where they have no RDD because of an error.
    pub output_op_id: usize,
    /// The operator and where it was created.
    pub name: Arc<str>,
    /// The operator's stable id.
    pub operator: Option<OperatorId>,
    /// Runs the output.
    pub run: JobBody,
    /// What follows when it fails.
    pub policy: FailurePolicy,
    /// Sets the records of the batch aside, for the error that they are told with: where the output does so.
    pub set_aside: Option<SetBatchAside>,
    /// Whether it has a sink: then it leaves a commit, unless it fails.
    pub commits: bool,
}

/// Runs an output, on the driver, with the batch's RDD at hand; again, after a failure. What is left to do for a sink.
pub type JobBody = Box<dyn FnMut() -> Result<Option<Commit>> + Send>;

/// Sets the records of a batch aside which its output does not take; told is whether its sink has refused the commit, so that
/// nothing of it is there.
pub type SetBatchAside = Arc<dyn Fn(Time, &Error, bool) -> Result<()> + Send + Sync>;

/// What an output does with a batch: its job, or none when the stream has no RDD at that time.
pub(crate) type MakeJob = Box<dyn Fn(Time) -> Result<Option<JobBody>> + Send + Sync>;

pub(super) struct Output {
    pub(super) node: Arc<dyn AnyDStream>,
    /// See [`BatchJob::name`].
    name: Arc<str>,
    make_job: MakeJob,
    policy: FailurePolicy,
    set_aside: Option<SetBatchAside>,
    sink: Option<Arc<dyn AnySinkCommits>>,
}

impl DStreamGraph {
    pub(crate) fn add_output(
        &self,
        node: Arc<dyn AnyDStream>,
        make_job: MakeJob,
        set_aside: Option<SetBatchAside>,
        sink: Option<Arc<dyn AnySinkCommits>>,
    ) {
        if self.may_change(node.header(), "adding new inputs, transformations, and output operations") {
            let mut state = self.state();
            state.nodes.push(node.clone());
            let name = node.header().place().into();
            let policy = FailurePolicy::default();
            state.outputs.push(Output { node, name, make_job, policy, set_aside, sink });
        }
    }
    /// What follows when the output `node` fails.
    pub(super) fn set_policy(&self, node: &Arc<dyn AnyDStream>, policy: FailurePolicy) {
        if self.may_change(node.header(), "setting a failure policy") {
            let mut state = self.state();
            let known = state.outputs.iter_mut().find(|output| address(&output.node) == address(node));
            known.into_iter().for_each(|output| output.policy = policy);
        }
    }

    /// The jobs of batch `time`, one per output that has an RDD, and those of states, of which some were `not_generated`.
    pub(super) fn jobs(&self, time: Time, not_generated: Vec<Option<Error>>) -> Vec<BatchJob> {
        let outputs = &self.started().outputs;
        let (mut jobs, mut told) = (Vec::with_capacity(outputs.len()), BTreeSet::new());
        for (output_op_id, output) in outputs.iter().enumerate() {
            let Output { node, name, make_job, policy, set_aside, sink } = output;
            let ((run, policy), set_aside) = match make_job(time) {
                Ok(Some(run)) => ((run, *policy), set_aside.clone()),
                Ok(None) => continue,
                // It fails as this output's job, and holds up no other.
                Err(error) => {
                    told.insert(error.to_string());
                    (failing(error.within("error generating the job")), None)
                }
            };
            let (name, operator, commits) = (name.clone(), node.header().operator(), sink.is_some());
            jobs.push(BatchJob { output_op_id, name, operator, run, policy, set_aside, commits });
        }
        // An output that reads the state in this batch has told its error already.
        let errors = not_generated.into_iter().map(|error| error.filter(|error| !told.contains(&error.to_string())));
        jobs.extend(self.state_jobs(errors));
        jobs
    }
    /// Jobs for states that no output has computed for some time, and for those that have no RDD because of an error.
    fn state_jobs(&self, errors: impl Iterator<Item = Option<Error>>) -> Vec<BatchJob> {
        let started = self.started();
        let job = |(number, (Stateful { node, chain }, error)): (usize, (&Stateful, Option<Error>))| {
            let (run, policy): (JobBody, _) = match error {
                Some(error) => failing(error.within("error generating the batch of the state")),
                None => {
                    let rdd = chain.overdue(self.context())?;
                    (Box::new(move || rdd.count().map(|_| None)), FailurePolicy::stop())
                }
            };
            let (name, operator) = (node.header().place().into(), node.header().operator());
            let output_op_id = started.outputs.len() + number;
            Some(BatchJob { output_op_id, name, operator, run, policy, set_aside: None, commits: false })
        };
        started.stateful.iter().zip(errors).enumerate().filter_map(job).collect()
    }

    /// The outputs that have sinks, by their positions among all, with their operators and where they were created.
    pub fn sinks(&self) -> impl Iterator<Item = (usize, Arc<str>)> {
        let outputs = self.started().outputs.iter().enumerate();
        outputs.filter(|(_, output)| output.sink.is_some()).map(|(number, output)| (number, output.name.clone()))
    }
    /// Makes the sinks ready for the first batch: those of `application`, of which each has done all up to what `committed`
    /// says, and has no batch behind `begun`, unless it `goes_on` there. `attempt` tries that for each, as its policy
    /// says.
    pub fn recover_sinks(
        &self,
        application: &str,
        (committed, begun, goes_on): (impl Fn(OperatorId) -> Option<Time>, Option<Time>, bool),
        attempt: impl Fn(&FailurePolicy, &mut dyn FnMut() -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        self.started().outputs.iter().try_for_each(|Output { node, name, policy, sink, .. }| {
            let Some((sink, operator)) = sink.as_ref().zip(node.header().operator()) else { return Ok(()) };
            let recovered =
                attempt(policy, &mut || sink.recover((application, operator), committed(operator), (begun, goes_on)));
            recovered.map_err(|error| error.within(format!("the sink of {name} cannot begin")))
        })
    }
}

/// A job that has failed before it begins, and is not tried again: what went wrong goes wrong whenever it is asked for.
fn failing(error: Error) -> (JobBody, FailurePolicy) {
    let mut error = Some(error);
    let gone = || Error::new(ErrorKind::Internal, "a job that cannot be made is tried again");
    (Box::new(move || Err(error.take().unwrap_or_else(gone))), FailurePolicy::stop())
}
