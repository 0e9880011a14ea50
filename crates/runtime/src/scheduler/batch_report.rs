//! [`BatchReport`]: what listeners are told of one batch, and in which order.

use super::ListenerBus;
use headwater_core::dstream::BatchJob;
use headwater_core::listener::{BatchInfo, OutputOperationInfo, StreamId, StreamInputInfo, StreamingEvent};
use headwater_core::time::Time;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A batch that was submitted while someone listened.
pub(super) struct BatchReport {
    bus: Arc<ListenerBus>,
    /// Events of the batch are posted under this lock, so that they come in its order also where several jobs of the
    /// batch run at a time.
    state: Mutex<State>,
}
struct State {
    batch: BatchInfo,
    /// A stop has dropped one of its jobs: it will not be completed.
    cut: bool,
}

impl BatchReport {
    /// Posts that the batch with these jobs is submitted; nothing while nobody listens.
    pub(super) fn submitted(
        bus: &Arc<ListenerBus>,
        time: Time,
        jobs: &[BatchJob],
        inputs: BTreeMap<StreamId, StreamInputInfo>,
    ) -> Option<BatchReport> {
        if !bus.is_listening() {
            return None;
        }
        let mut batch = BatchInfo::new(time, bus.now());
        batch.stream_id_to_input_info = inputs;
        batch.output_operation_infos = jobs.iter().map(|job| (job.output_op_id, output(time, job))).collect();
        bus.post(|| StreamingEvent::BatchSubmitted(batch.clone()));
        bus.report_dropped();
        Some(BatchReport { bus: bus.clone(), state: Mutex::new(State { batch, cut: false }) })
    }

    pub(super) fn job_started(&self, output_op_id: usize) {
        let now = self.bus.now();
        let mut state = self.lock();
        if state.batch.processing_start_time.is_none() {
            state.batch.processing_start_time = Some(now);
            self.bus.post(|| StreamingEvent::BatchStarted(state.batch.clone()));
        }
        if let Some(output) = state.batch.output_operation_infos.get_mut(&output_op_id) {
            output.start_time = Some(now);
            self.bus.post(|| StreamingEvent::OutputOperationStarted(output.clone()));
        }
        drop(state);
        self.bus.report_dropped();
    }

    pub(super) fn job_completed(&self, output_op_id: usize, failure_reason: Option<String>) {
        let now = self.bus.now();
        if let Some(output) = self.lock().batch.output_operation_infos.get_mut(&output_op_id) {
            (output.end_time, output.failure_reason) = (Some(now), failure_reason);
            self.bus.post(|| StreamingEvent::OutputOperationCompleted(output.clone()));
        }
        self.bus.report_dropped();
    }

    pub(super) fn job_dropped(&self) {
        self.lock().cut = true;
    }

    /// All jobs have ended.
    pub(super) fn completed(&self) {
        let now = self.bus.now();
        let mut state = self.lock();
        if !state.cut {
            state.batch.processing_end_time = Some(now);
            self.bus.post(|| StreamingEvent::BatchCompleted(state.batch.clone()));
        }
        drop(state);
        self.bus.report_dropped();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn output(time: Time, job: &BatchJob) -> OutputOperationInfo {
    let mut output = OutputOperationInfo::new(time, job.output_op_id, &*job.name);
    if let Some(operator) = job.operator {
        output.description = format!("{} (operator {operator})", job.name);
    }
    output
}
