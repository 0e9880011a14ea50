//! The rows of `chain`: 1, 3 and 10 operators in a row; the unit is a record on its way through one operator.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::Row;
use crate::{data, hand, ours};
use std::sync::Arc;

const LENGTHS: [usize; 3] = [1, 3, 10];

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let records = Arc::new(data::records(arguments.records));
    LENGTHS.into_iter().map(|operators| row(operators, &records, arguments)).collect()
}

fn row(operators: usize, records: &Arc<Vec<u64>>, arguments: &Arguments) -> Result<Row, String> {
    let local = arguments.local;
    let by_hand = Contender::new("the loop by hand", || hand::chain::sum(records, operators, local));
    let (ours, loops) = beside(ours::chain::ours(records, operators, local), vec![by_hand], arguments.rounds)?;
    let steps = (records.len() * operators) as u64;
    let name = format!("{operators} operator{}", if operators == 1 { "" } else { "s" });
    Ok(Row::compared(name, "ns/record and operator", steps, (ours, loops[0]), local))
}
