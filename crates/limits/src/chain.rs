//! The rows of `chain`: 1, 3 and 10 operators in a row; the unit is a record on its way through one operator.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::{data, hand, ours};

/// The most that a record may cost in an operator.
const AIM_NS: f64 = 1.0;

const LENGTHS: [usize; 3] = [1, 3, 10];

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let records = data::records(arguments.records);
    LENGTHS.into_iter().map(|operators| row(operators, &records, arguments)).collect()
}

fn row(operators: usize, records: &[u64], arguments: &Arguments) -> Result<Row, String> {
    let local = arguments.local;
    let by_hand = Contender::new("the loop by hand", || hand::chain::sum(records, operators, local));
    let [ours, by_hand] = beside([ours::chain::ours(records, operators, local), by_hand], arguments.rounds)?;
    let steps = (records.len() * operators) as u64;
    let name = format!("{operators} operator{}", if operators == 1 { "" } else { "s" });
    let row = Row::compared(name, "ns/record and operator", steps, (ours, by_hand), local).aim(Aim::Ours(AIM_NS));
    announce(&row);
    Ok(row)
}
