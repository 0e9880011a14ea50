//! [`tried`]: an output, its commit or the start of its sink, as often as its policy says.

use headwater_core::env::Env;
use headwater_core::sink::FailurePolicy;
use headwater_core::{ErrorKind, Result};

/// Calls `body` again, behind pauses, as often as `policy` says and it is no use to give up before.
pub(crate) fn tried<R>(
    env: &Env,
    policy: &FailurePolicy,
    is_cancelled: impl Fn() -> bool,
    body: &mut dyn FnMut() -> Result<R>,
) -> Result<R> {
    for failures in 0.. {
        let error = match body() {
            Err(error) if !is_cancelled() && is_worth_a_try(error.kind()) => error,
            ended => return ended,
        };
        let Some(pause) = policy.pause_after(failures) else { return Err(error) };
        let until = env.clock.now() + pause;
        env.console.warn(&format!("{error}; it is tried again in {pause:?}"));
        env.clock.wait(Some(until), &mut || is_cancelled());
    }
    unreachable!("a policy ends before the numbers do")
}
/// Whether an error may be gone the next time.
pub(super) fn is_worth_a_try(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::Cancelled | ErrorKind::Program | ErrorKind::Fenced | ErrorKind::Internal)
}
