//! [`SlowTasks`]: tasks that stand still for a while in the middle of their records, as a simulation says.

use headwater_core::env::{Clock, ManualClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(super) struct SlowTasks {
    clock: Arc<ManualClock>,
    /// Every so many-th record waits; 0 for none.
    every: AtomicU64,
    passed: AtomicU64,
    /// Grows when those that wait may go on, and the newest at which one waits.
    turns: AtomicU64,
    waits_at: AtomicU64,
    off: AtomicBool,
}

impl SlowTasks {
    pub(super) fn new(clock: Arc<ManualClock>) -> SlowTasks {
        let (every, passed, off) = Default::default();
        let (turns, waits_at) = (AtomicU64::new(1), AtomicU64::new(0));
        SlowTasks { clock, every, passed, turns, waits_at, off }
    }
    pub(super) fn wait_at(&self, every: u64) {
        self.every.store(every, Ordering::Relaxed);
        self.set_off(false);
    }
    /// A record passes, or waits until it may.
    pub(super) fn pass(&self) {
        let every = self.every.load(Ordering::Relaxed);
        if every == 0 || !self.passed.fetch_add(1, Ordering::Relaxed).is_multiple_of(every) {
            return;
        }
        let turn = self.turns.load(Ordering::SeqCst);
        self.waits_at.fetch_max(turn, Ordering::SeqCst);
        self.clock.notify();
        self.clock.wait(None, &mut || self.off.load(Ordering::SeqCst) || self.turns.load(Ordering::SeqCst) > turn);
    }
    /// Whether one waits for the next turn.
    pub(super) fn stands(&self) -> bool {
        self.waits_at.load(Ordering::SeqCst) == self.turns.load(Ordering::SeqCst)
    }
    pub(super) fn let_pass(&self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
        self.clock.notify();
    }
    /// From here on nothing waits, or, with `false`, it does again.
    pub(super) fn set_off(&self, off: bool) {
        self.off.store(off, Ordering::SeqCst);
        self.clock.notify();
    }
}
