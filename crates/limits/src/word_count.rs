//! The rows of `word-count`: texts over small, middling and large vocabularies, or the user's own.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::{data, hand, ours};
use std::sync::Arc;

const VOCABULARIES: [usize; 3] = [5_000, 100_000, 1_000_000];

/// The ratio to hold to the plain loop.
const AIM: f64 = 1.0;
/// The ratio to hold to the loop over the engine's own text and table.
const CHUNKED_AIM: f64 = 0.8;
/// How much faster two threads shall be than one.
const SPEED_UP_AIM: f64 = 1.7;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for file in &arguments.input {
        rows.extend(rows_of(file.display().to_string(), data::file(file)?, arguments)?);
    }
    if arguments.input.is_empty() {
        for size in VOCABULARIES {
            let text = data::Vocabulary::new(size).text(arguments.megabytes * 1_000_000);
            rows.extend(rows_of(format!("{size} different words"), text, arguments)?);
        }
    }
    rows.sort_by_key(|row| row.name.ends_with(SPEED_UP));
    Ok(rows)
}

const SPEED_UP: &str = "over one thread";

fn rows_of(name: String, text: Vec<u8>, arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (text, local) = (Arc::new(text), arguments.local);
    let pool = hand::chunked::pool(local);
    let plain = Contender::new("the loop by hand", || hand::word_count::count(&text, local));
    let chunked = Contender::new("the chunked loop", || hand::chunked::count(&text, &pool, local));
    let costs = beside([ours::word_count::ours(&text, local), plain, chunked], arguments.rounds)?;
    let words = memchr::memchr2_iter(b' ', b'\n', &text).count() as u64 + u64::from(!text.ends_with(b"\n"));
    let row = |name, limit, aim| Row::compared(name, "ns/word", words, (costs[0], limit), local).aim(Aim::Ratio(aim));
    let mut rows =
        vec![row(name.clone(), costs[1], AIM), row(format!("{name}, own text and table"), costs[2], CHUNKED_AIM)];
    if local > 1 {
        let contenders = [ours::word_count::ours(&text, local), ours::word_count::ours(&text, 1)];
        let [many, one] = beside(contenders, arguments.rounds)?;
        let row = Row::compared(format!("{name}, {local} {SPEED_UP}"), "ns/word", words, (many, one), local);
        rows.push(row.aim(Aim::Ratio(SPEED_UP_AIM)).uncounted().note("the limit is ours on one thread, by wall time"));
    }
    rows.iter().for_each(announce);
    Ok(rows)
}
