//! `headwater checkpoint show --json`: names that scripts may rely on, which are not those of the types behind them.

use crate::show::Shown;
use headwater::checkpoint::{Allocation, CheckpointOperator, InputAllocation, OpenBatch};
use headwater::time::{DurationExt, Time};
use serde_json::{Value, json};

pub(crate) fn of(shown: &Shown) -> Value {
    let Shown { folder, overview, sizes, behind, .. } = shown;
    let batches = overview.batches.map(|of| {
        json!({
            "interval_ms": of.interval.milliseconds(), "zero_ms": ms(of.zero), "allocated_ms": ms(of.allocated),
            "committed_ms": ms(of.committed), "behind_clock_ms": behind.as_millis() as u64,
        })
    });
    let processes = overview.processes.iter();
    let processes = processes.map(|of| json!({"epoch": of.epoch, "began_behind_ms": ms(of.began_behind)}));
    let snapshots = overview.snapshots.iter().map(|of| {
        let (number, records, bytes) = (of.number, of.records, of.bytes);
        json!({
            "number": number, "since_ms": ms(of.since), "until_ms": ms(of.until), "records": records, "bytes": bytes,
        })
    });
    let gaps = overview.gaps.iter().map(|gap| json!({"after_ms": ms(gap.after), "before_ms": ms(gap.before)}));
    json!({
        "folder": folder,
        "application": overview.application,
        "owner": overview.owner,
        "batches": batches,
        "open_batches": overview.open_batches.iter().map(open_batch).collect::<Vec<_>>(),
        "processes": processes.collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
        "operators": overview.operators.iter().map(|of| operator(of, shown)).collect::<Vec<_>>(),
        "snapshots": snapshots.collect::<Vec<_>>(),
        "unfinished_snapshot": overview.unfinished_snapshot,
        "sizes": sizes.iter().map(|of| json!({"part": of.part, "files": of.files, "bytes": of.bytes})).collect::<Vec<_>>(),
        "warnings": overview.warnings,
    })
}

fn ms(time: Time) -> i64 {
    time.milliseconds()
}

fn open_batch(OpenBatch { time, inputs }: &OpenBatch) -> Value {
    let input = |InputAllocation { operator, allocation }: &InputAllocation| match allocation {
        Allocation::Bytes(bytes) => json!({"operator": operator, "bytes": bytes}),
        Allocation::Ranges(ranges) => {
            let ranges = ranges.iter();
            let ranges = ranges.map(|of| json!({"partition": of.partition, "from": of.from, "until": of.until}));
            json!({"operator": operator, "ranges": ranges.collect::<Vec<_>>()})
        }
    };
    json!({"time_ms": ms(*time), "inputs": inputs.iter().map(input).collect::<Vec<_>>()})
}

fn operator(of: &CheckpointOperator, shown: &Shown) -> Value {
    let state = of.state.as_ref().map(|types| {
        let size = shown.states.iter().find(|size| size.operator == of.id).cloned().unwrap_or_default();
        json!({
            "key_type": types.key, "value_type": types.value, "version": types.version, "keys": size.keys,
            "values_in_window": size.values, "bytes": size.bytes,
        })
    });
    json!({"id": of.id, "kind": of.kind, "place": of.place, "since_ms": ms(of.since), "state": state})
}
