//! The programs, from record numbers to rows.

use crate::chance::mixed;
use crate::options::Program;
use crate::row::Row;
use headwater::prelude::*;

pub(crate) const BATCH: Duration = Duration::from_millis(50);
/// Records a second, and a batch.
pub(crate) const RATE: u64 = 2000;
pub(crate) const PER_BATCH: u64 = RATE * 50 / 1000;
/// Keys of the window, of the state, and accounts.
pub(crate) const WINDOW_KEYS: u64 = 10;
pub(crate) const STATE_KEYS: u64 = 1000;
pub(crate) const ACCOUNTS: u64 = 50;
/// Batches of a window.
pub(crate) const WINDOW_BATCHES: u64 = 20;

pub(crate) fn rows(program: Program, numbers: &DStream<u64>) -> DStream<Row> {
    let keyed = match program {
        Program::Stateless => numbers.map(|number| (number, value_of(number))),
        Program::Window => {
            let pairs = numbers.map(|number| (number % WINDOW_KEYS, number as i64));
            pairs
                .reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, BATCH * WINDOW_BATCHES as u32)
                .uid("sums")
        }
        Program::State => {
            let count = StateSpec::function(|key: &u64, number: Option<u64>, count: &mut State<i64>| {
                let counted = count.get().unwrap_or(&0) + i64::from(number.is_some());
                count.update(counted);
                (*key, counted)
            });
            numbers.map(|number| (number % STATE_KEYS, number)).map_with_state(count).stream().uid("counts")
        }
        Program::Money => {
            let changes = numbers.flat_map(|number| {
                let Transfer { from, to, amount } = transfer(number);
                [(from, -amount), (to, amount)]
            });
            let balances = changes.update_state_by_key(|changes, old: Option<&i64>| {
                Some(old.unwrap_or(&0) + changes.iter().sum::<i64>())
            });
            balances.uid("balances")
        }
    };
    keyed.transform(|rows, time| {
        let time = time.milliseconds();
        rows.map(move |(key, value)| Row { time, key: key as i64, value })
    })
}

/// What becomes of a record by itself.
pub(crate) fn value_of(number: u64) -> i64 {
    (mixed(number) >> 1) as i64
}

pub(crate) struct Transfer {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) amount: i64,
}
pub(crate) fn transfer(number: u64) -> Transfer {
    let bits = mixed(number);
    Transfer { from: bits % ACCOUNTS, to: (bits >> 16) % ACCOUNTS, amount: (bits >> 40) as i64 % 1000 }
}
