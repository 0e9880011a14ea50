//! `map_with_state` on the engine with a timeout, under which as many keys leave each batch as come with it.

use super::batches::{Batches, INTERVAL};
use crate::checksum;
use crate::measure::Contender;
use headwater::prelude::*;

/// Keys without a record time out `lifetime` batches behind their last one. A round is `cycle` again and again, `times`
/// times; its result is the total of [`checksum::reduced`] over the sums of keys that come and of keys that leave.
pub(crate) fn ours(cycle: &[Vec<(u64, u64)>], lifetime: usize, times: usize, local: usize) -> Contender<'static> {
    // A key leaves with the first batch that is later by more than the timeout.
    let timeout = INTERVAL * (lifetime as u32 - 1);
    let program = move |pairs: DStream<(u64, u64)>| {
        let spec = StateSpec::function(|key: &u64, value: Option<u64>, state: &mut State<u64>| {
            let sum = state.get().copied().unwrap_or(0).wrapping_add(value.unwrap_or(0));
            if !state.is_timing_out() {
                state.update(sum);
            }
            (*key, sum)
        });
        pairs.map_with_state(spec.timeout(timeout)).map(|(key, sum)| checksum::reduced(key, sum))
    };
    let mut stream = Batches::start(local, program);
    let cycle: Vec<_> = cycle.iter().map(|records| stream.records(records)).collect();
    for records in &cycle {
        stream.run(records.clone());
    }
    Contender::new("the engine", move || {
        let batches = (0..times).flat_map(|_| &cycle);
        checksum::total(batches.map(|records| stream.run(records.clone())))
    })
}
