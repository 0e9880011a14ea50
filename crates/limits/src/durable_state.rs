//! The rows of `state --durable`: the batches of `state` with a checkpoint folder, beside the same without one.

use crate::arguments::Arguments;
use crate::data;
use crate::disk::{self, Folder};
use crate::ours::durable_state::{Stream, Took};
use crate::ours::spilled_state::OPERATIONS;
use crate::quantiles::median;
use crate::report::{Aim, Row, announce};

const KEYS: usize = 1_000_000;
/// Batches of a round.
const BATCHES: usize = 20;

/// How many times as long all batches may take, and the longest of those beside which a snapshot is written.
const TIMES_AIM: f64 = 1.5;
const WORST_AIM: f64 = 3.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (keys, updates) = (arguments.keys.unwrap_or(KEYS), arguments.updates);
    let mut rows = Vec::new();
    for operation in OPERATIONS {
        for row in rows_of(operation, keys, updates, arguments)? {
            announce(&row);
            rows.push(row);
        }
    }
    Ok(rows)
}

fn rows_of(operation: &str, keys: usize, updates: usize, arguments: &Arguments) -> Result<Vec<Row>, String> {
    let folder = Folder::new(arguments.dir.as_deref())?;
    let fill = || data::in_order(0..keys as u64, updates);
    let mut plain = Stream::new(operation, fill(), None, arguments.local);
    let mut durable = Stream::new(operation, fill(), Some(folder.path("run")), arguments.local);
    let batches = data::batches(BATCHES, updates, keys as u64);
    let (mut ours, mut limit, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let mut busy = [Vec::new(), Vec::new()];
    let before = durable.written();
    for round in 0..arguments.rounds {
        let (by_plain, plain_results) = one_by_one(&mut plain, &batches);
        let changes = durable.written().changes;
        let (by_durable, durable_results) = one_by_one(&mut durable, &batches);
        let bytes = (durable.written().changes - changes) as usize / BATCHES;
        let mut left = batches.len() + 1;
        let more = || {
            left -= 1;
            left > 0
        };
        bare.extend(disk::append_and_sync(&folder.path(&format!("loop{round}")), bytes, more)?);
        limit.extend(by_plain);
        ours.extend(by_durable);
        let results = [&mut durable, &mut plain].map(|stream| stream.busy(&batches));
        if plain_results != durable_results || results[0].1 != results[1].1 {
            return Err(format!("{operation} has other results with a checkpoint folder"));
        }
        busy.iter_mut().zip(results).for_each(|(all, (seconds, _))| all.push(seconds * 1e3 / BATCHES as f64));
        durable.settle();
    }
    let (after, count) = (durable.written(), (2 * ours.len()) as f64);
    let name = |what| format!("{operation}, {updates} updates of {keys} keys: {what}");
    let ms = |batches: &[Took]| batches.iter().map(|batch| batch.seconds * 1e3).collect::<Vec<f64>>();
    let (ours_ms, limit_ms) = (ms(&ours), ms(&limit));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let times = |what, ours: f64, limit: f64| {
        let row = Row { limit: Some(limit), ratio: Some(limit / ours), ..Row::value(name(what), "ms", ours) };
        row.aim(Aim::Ratio(1.0 / TIMES_AIM)).note(&format!("{:.2} times as long", ours / limit))
    };
    let bare = mean(&bare) * 1e3;
    let busy = busy.map(|all| mean(&all));
    let row = times("a batch, where others wait", busy[0], busy[1]);
    let mut rows = vec![row.note(&format!("append and sync of as many changes {bare:.1} ms"))];
    let row = times("a batch alone, until its commit", mean(&ours_ms), mean(&limit_ms)).uncounted();
    rows.push(row.note(&format!(
        "medians {:.1} and {:.1} ms; the limit and append and sync are {:.2} of it",
        median(&ours_ms),
        median(&limit_ms),
        (mean(&limit_ms) + bare) / mean(&ours_ms)
    )));

    let beside: Vec<Took> = ours.iter().filter(|batch| batch.beside_snapshot).copied().collect();
    let worst = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let (slowest, slow) = (worst(&ms(&beside)), median(&ms(&beside)));
    let row = Row::value(name("the longest batch beside a snapshot"), "times the median", slowest / median(&ours_ms));
    let note = format!(
        "{slowest:.1} ms, of {} batches with a median of {slow:.1} ms; the longest of all {:.1} ms, without a folder {:.1} \
         ms; {} snapshots",
        beside.len(),
        worst(&ours_ms),
        worst(&limit_ms),
        after.snapshots_begun - before.snapshots_begun
    );
    rows.push(row.aim(Aim::Ours(WORST_AIM)).note(&note));

    let each = |after: u64, before: u64| (after - before) as f64 / count / updates as f64;
    let changes = each(after.changes, before.changes);
    let snapshots = each(after.snapshots, before.snapshots);
    let all = changes + snapshots + each(after.journal, before.journal);
    let [journal, state] = durable.folder_bytes().map(|bytes| bytes as f64 / 1e6);
    let note = format!(
        "{changes:.1} of changes, {snapshots:.1} of snapshots, {:.0} a batch in the journal; {:.1} times the 16 of a key and \
         its state; at the end journal {journal:.2} MB, state {state:.0} MB",
        each(after.journal, before.journal) * updates as f64,
        all / 16.0
    );
    rows.push(Row::value(name("written"), "bytes/update", all).uncounted().note(&note));
    Ok(rows)
}

fn one_by_one(stream: &mut Stream, batches: &[Vec<(u64, u64)>]) -> (Vec<Took>, Vec<u64>) {
    let took = batches.iter().map(|records| stream.batch(records)).unzip();
    stream.settle();
    took
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_agree() {
        let dir = Some(std::env::temp_dir());
        let arguments = Arguments { keys: Some(1000), updates: 300, dir, rounds: 2, ..Arguments::default() };
        assert_eq!(rows(&arguments).unwrap().len(), 8);
    }
}
