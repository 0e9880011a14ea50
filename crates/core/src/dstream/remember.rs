//! How long each operator remembers its RDDs.

use super::node::{AnyDStream, address};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// For each of `nodes`, where parents come before children: `minimum`, the slide duration and what those who read it
/// remember and how far they look back, whichever is longest; and longer than the checkpoint interval: if it is not,
/// twice that. Source: Spark's `DStream.initialize`, `remember` and `parentRememberDuration`.
pub(super) fn remember_durations(nodes: &[Arc<dyn AnyDStream>], minimum: Duration) -> Vec<Duration> {
    let mut asked: HashMap<*const (), Duration> = HashMap::new();
    let mut durations: Vec<Duration> = nodes
        .iter()
        .rev()
        .map(|node| {
            let header = node.header();
            let mut remember = asked.remove(&address(node)).unwrap_or_default().max(minimum).max(header.slide);
            if let Some(interval) = header.checkpoint_interval().filter(|interval| remember <= *interval) {
                remember = interval * 2;
            }
            // The RDD of a state is read in its turn.
            for parent in node.parents().iter().filter(|_| !header.reads_state()) {
                let of_parent = asked.entry(address(parent)).or_default();
                *of_parent = remember.saturating_add(header.looks_back).max(*of_parent);
            }
            remember
        })
        .collect();
    durations.reverse();
    durations
}
