//! [`StatsReportListener`]: prints how long the last batches took.

use super::{BatchInfo, StreamingListener};
use crate::env::Console;
use crate::rdd::RddContext;
use crate::time::DurationExt;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The shares of batches whose longest time is shown, in per cent: the extremes say most.
const PERCENTILES: [usize; 9] = [0, 5, 10, 25, 50, 75, 90, 95, 100];

/// Prints, behind every batch, how the total delay and the processing time of the last batches are distributed.
/// Source: Spark's `StatsReportListener`, which logs the same lines.
///
/// ```
/// use headwater::{listener::StatsReportListener, prelude::*, testkit::TestEnv};
/// let env = TestEnv::new();
/// let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env())?;
/// ssc.queue_stream(&RddQueue::<u64>::new()).foreach_rdd(|_, _| ());
/// ssc.add_streaming_listener(StatsReportListener::new(10, ssc.context()));
/// let running = ssc.start()?;
/// env.clock.advance(seconds(1));
/// running.await_batches(1)?;
/// running.stop()?;
/// let report = env.printed();
/// assert!(report.starts_with("Total delay: (count: 1, mean: 0.000000, stdev: 0.000000, max: 0.000000,"));
/// assert!(report.contains("\nProcessing time: (count: 1,"));
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct StatsReportListener {
    batches_max: usize,
    console: Arc<dyn Console>,
    batches: VecDeque<BatchInfo>,
}

impl StatsReportListener {
    /// Reports of the last `batches` batches, on the console of `context`; Spark's default is 10. With 0 there is
    /// nothing to report.
    pub fn new(batches: usize, context: &RddContext) -> StatsReportListener {
        StatsReportListener { batches_max: batches, console: context.env().console.clone(), batches: VecDeque::new() }
    }

    fn distribution(&self, heading: &str, of: impl Fn(&BatchInfo) -> Option<Duration>) -> String {
        distribution(heading, self.batches.iter().filter_map(of).collect())
    }
}

impl StreamingListener for StatsReportListener {
    fn on_batch_completed(&mut self, batch: &BatchInfo) {
        self.batches.push_back(batch.clone());
        if self.batches.len() > self.batches_max {
            self.batches.pop_front();
        }
        let report = self.distribution("Total delay: ", BatchInfo::total_delay)
            + &self.distribution("Processing time: ", BatchInfo::processing_delay);
        if !report.is_empty() {
            self.console.print(&report);
        }
    }
}

/// Three lines: what was counted, in milliseconds; the percentiles; their values. Nothing without durations.
fn distribution(heading: &str, mut durations: Vec<Duration>) -> String {
    durations.sort_unstable();
    let (Some(min), Some(max)) = (durations.first(), durations.last()) else { return String::new() };
    let ms = |duration: &Duration| duration.as_secs_f64() * 1e3;
    let count = durations.len();
    let mean = durations.iter().map(ms).sum::<f64>() / count as f64;
    let variance = durations.iter().map(|duration| (ms(duration) - mean).powi(2)).sum::<f64>() / count as f64;
    let (stdev, max, min) = (variance.sqrt(), ms(max), ms(min));
    let mut lines =
        format!("{heading}(count: {count}, mean: {mean:.6}, stdev: {stdev:.6}, max: {max:.6}, min: {min:.6})\n");
    for percent in PERCENTILES {
        write!(lines, "\t{percent}%").expect("a String takes everything");
    }
    lines.push('\n');
    for percent in PERCENTILES {
        let value = durations[(percent * count / 100).min(count - 1)];
        write!(lines, "\t{}", value.pretty_print()).expect("a String takes everything");
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::milliseconds;

    /// Spark's quantile is the value at `probability * count`, rounded down.
    #[test]
    fn quantiles_are_those_of_spark() {
        let durations = [4, 1, 3, 2, 2000].map(milliseconds).to_vec();
        let expected = "Delay: (count: 5, mean: 402.000000, stdev: 799.000626, max: 2000.000000, min: 1.000000)\n\
                        \t0%\t5%\t10%\t25%\t50%\t75%\t90%\t95%\t100%\n\
                        \t1 ms\t1 ms\t1 ms\t2 ms\t3 ms\t4 ms\t2.0 s\t2.0 s\t2.0 s\n";
        assert_eq!(distribution("Delay: ", durations), expected);
        assert_eq!(distribution("Delay: ", Vec::new()), "");
    }
}
