//! [`State`]: the state of one key, as the function of `map_with_state` sees it.

use super::clock::Clock;
use crate::time::Time;

/// Why the function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Record,
    Timer,
    TimeOut,
}

/// What the function did to the state.
pub(super) enum Change<S> {
    Nothing,
    Updated(S),
    Removed,
}

/// The state of a key in one call of the function of [`map_with_state`](crate::dstream::DStream::map_with_state). The
/// next call for the key sees what this one left, also within a batch; the state itself changes when the batch has
/// succeeded. Source: Spark's `State`.
///
/// ```
/// use headwater::{prelude::*, testkit::check};
/// let toggle = |words: DStream<char>| {
///     let spec = StateSpec::function(|word: &char, _: Option<()>, state: &mut State<u32>| {
///         match state.get() {
///             None => state.update(1),
///             Some(_) => state.remove(),
///         }
///         (*word, state.exists())
///     });
///     words.map(|word| (word, ())).map_with_state(spec)
/// };
/// check([vec!['a'], vec!['a']], |words| toggle(words).stream(), [vec![('a', true)], vec![('a', false)]]);
/// ```
pub struct State<'a, S> {
    old: Option<&'a S>,
    call: Call,
    pub(super) change: Change<S>,
    pub(super) timer: Time,
    now: Time,
    pub(super) misuse: Option<&'static str>,
}

impl<'a, S> State<'a, S> {
    pub(super) fn new(old: Option<&'a S>, call: Call, now: Time, timer: Time) -> State<'a, S> {
        State { old, call, change: Change::Nothing, timer, now, misuse: None }
    }

    /// Whether the key has a state now.
    pub fn exists(&self) -> bool {
        self.get().is_some()
    }
    /// The state, if the key has one. Source: Spark's `State.getOption`; its `get` throws where this is `None`.
    pub fn get(&self) -> Option<&S> {
        match &self.change {
            Change::Nothing => self.old,
            Change::Updated(new) => Some(new),
            Change::Removed => None,
        }
    }
    /// Sets the state. If it was removed in this call, or is timing out, the task fails with an error that says so when
    /// the function returns.
    pub fn update(&mut self, state: S) {
        match (&self.change, self.call) {
            (Change::Removed, _) => self.misused("cannot update the state after it has been removed"),
            (_, Call::TimeOut) => self.misused("cannot update the state that is timing out: ask is_timing_out() first"),
            _ => self.change = Change::Updated(state),
        }
    }
    /// Removes the key, and its timer with it. If it was removed in this call, or is timing out, the task fails with an
    /// error that says so when the function returns. To remove what is not there does nothing.
    pub fn remove(&mut self) {
        match (&self.change, self.call) {
            (Change::Removed, _) => self.misused("cannot remove the state that has already been removed"),
            (_, Call::TimeOut) => self.misused(
                "cannot remove the state that is timing out: it goes behind this call; ask is_timing_out() first",
            ),
            _ => self.change = Change::Removed,
        }
    }
    /// Whether this is the last call for the key: it had no record for longer than the spec's timeout, and is removed
    /// behind the call. There is no value then.
    pub fn is_timing_out(&self) -> bool {
        self.call == Call::TimeOut
    }

    /// The batch time.
    pub fn time(&self) -> Time {
        self.now
    }
    /// Has the function called for this key, without a value, in the first batch behind this one that is not before
    /// `at`. A key has one timer: the last call counts, in whichever batch. It goes with the state; without a state there
    /// is none. It is no record: it does not put off a time-out, and where both come in one batch there is the time-out's
    /// call only. An addition to Spark's `State`.
    pub fn set_timer(&mut self, at: Time) {
        self.timer = at.max(Time::from_millis(self.now.milliseconds().saturating_add(1)));
    }
    /// The key has no timer any more.
    pub fn clear_timer(&mut self) {
        self.timer = Clock::NEVER;
    }
    /// When the timer fires, if one is set.
    pub fn timer(&self) -> Option<Time> {
        Some(self.timer).filter(|timer| *timer != Clock::NEVER)
    }
    /// Whether this call is the timer's. The timer is not set any more.
    pub fn is_timer(&self) -> bool {
        self.call == Call::Timer
    }

    fn misused(&mut self, what: &'static str) {
        self.misuse.get_or_insert(what);
    }
}
