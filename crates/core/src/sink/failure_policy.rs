//! [`FailurePolicy`]: what follows when an output fails.

use std::time::Duration;

/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What follows when an output operation fails for a batch, behind the tries of its tasks
/// ([`OutputOperation::on_failure`](crate::dstream::OutputOperation::on_failure)). Behind the last try, an output that stands
/// behind [`DStream::set_aside`](crate::dstream::DStream::set_aside) makes dead letters of the batch's records and goes on.
///
/// ```
/// use headwater::sink::FailurePolicy;
/// use std::time::Duration;
/// let policy = FailurePolicy::retry(3, Duration::from_secs(1));
/// let pauses: Vec<_> = (0..4).map_while(|failures| policy.pause_after(failures)).collect();
/// assert_eq!(pauses, [1, 2, 4].map(Duration::from_secs));
/// assert_eq!(FailurePolicy::stop().pause_after(0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailurePolicy {
    retries: u32,
    back_off: Duration,
}

impl FailurePolicy {
    /// The batch has failed: `await_termination` returns its error. A program with a checkpoint folder ends, and the next
    /// process begins with that batch; without a folder later batches go on. This is the default.
    pub const fn stop() -> FailurePolicy {
        FailurePolicy::retry(0, Duration::ZERO)
    }
    /// It is tried again up to `retries` times, behind a pause of `back_off`, of twice that, and so on up to a minute, and
    /// later batches wait; then as [`stop`](FailurePolicy::stop).
    pub const fn retry(retries: u32, back_off: Duration) -> FailurePolicy {
        FailurePolicy { retries, back_off }
    }
    /// How long to wait after so many failures before this one; none if that was the last try.
    pub fn pause_after(&self, failures: u32) -> Option<Duration> {
        let doubled = || self.back_off.saturating_mul(1u32.checked_shl(failures).unwrap_or(u32::MAX));
        (failures < self.retries).then(|| doubled().min(PAUSE_MAX))
    }
}

impl Default for FailurePolicy {
    fn default() -> Self {
        FailurePolicy::stop()
    }
}
