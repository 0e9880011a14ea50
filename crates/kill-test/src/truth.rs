//! What a sink must have: the rows of a program, made again by a plain loop, beside those that a reader saw.

use crate::options::Program;
use crate::programs::{BATCH, PER_BATCH, STATE_KEYS, Transfer, WINDOW_BATCHES, WINDOW_KEYS, transfer, value_of};
use crate::row::Row;
use std::collections::BTreeMap;

/// What differs.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Difference {
    /// Rows that are not there.
    pub(crate) lost: u64,
    /// Rows that are there more than once.
    pub(crate) doubled: u64,
    /// Rows with another value, and rows that should not be.
    pub(crate) wrong: u64,
    /// Some of them, in words.
    pub(crate) examples: Vec<String>,
}
/// Examples that are told.
const TOLD: usize = 5;

impl Difference {
    pub(crate) fn is_none(&self) -> bool {
        (self.lost, self.doubled, self.wrong) == (0, 0, 0)
    }
    fn lost(&mut self, of: u64, what: impl FnOnce() -> String) {
        self.lost += of;
        self.tell(of, what);
    }
    fn wrong(&mut self, of: u64, what: impl FnOnce() -> String) {
        self.wrong += of;
        self.tell(of, what);
    }
    fn tell(&mut self, of: u64, what: impl FnOnce() -> String) {
        if of > 0 && self.examples.len() < TOLD {
            self.examples.push(what());
        }
    }
}

/// Up to where there must be rows.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// The numbers of each batch are known, and this is the last batch, in milliseconds.
    Batch(i64),
    /// A sender made so many numbers; which batch one came in is not known.
    Number(u64),
}

/// Compares what a reader saw.
pub(crate) fn compare(program: Program, rows: &[Row], until: Until) -> Difference {
    match until {
        Until::Batch(last) => by_batches(program, rows, last),
        Until::Number(numbers) => by_numbers(program, rows, numbers),
    }
}

/// Batches follow one another without a gap from the first to the last.
fn by_batches(program: Program, rows: &[Row], last: i64) -> Difference {
    let mut difference = Difference::default();
    let Some(first) = rows.iter().map(|row| row.time).min() else {
        difference.lost(1, || "there is no row at all".to_owned());
        return difference;
    };
    let mut seen = seen(rows);
    let mut expected = Expected::default();
    for (batch, time) in (first..=last).step_by(BATCH.as_millis() as usize).enumerate() {
        for (key, value) in expected.batch(program, batch as u64) {
            check(&mut difference, Row { time, key, value }, seen.remove(&(time, key)).unwrap_or_default());
        }
    }
    for ((time, key), values) in seen {
        difference.wrong(values.len() as u64, || format!("key {key} of batch {time} should not be there"));
    }
    difference
}
fn seen(rows: &[Row]) -> BTreeMap<(i64, i64), Vec<i64>> {
    let mut seen: BTreeMap<(i64, i64), Vec<i64>> = BTreeMap::new();
    rows.iter().for_each(|row| seen.entry((row.time, row.key)).or_default().push(row.value));
    seen
}
/// The values that were seen where there should be one.
fn check(difference: &mut Difference, row: Row, values: Vec<i64>) {
    let right = values.iter().filter(|value| **value == row.value).count() as u64;
    let others = values.len() as u64 - right;
    if others == 0 {
        difference.lost(u64::from(right == 0), || format!("{row:?} is not there"));
    }
    difference.wrong(others, || format!("{row:?} is there as {values:?}"));
    difference.doubled += right.saturating_sub(1);
    difference.tell(right.saturating_sub(1), || format!("{row:?} is there {right} times"));
}

/// What a program tells, batch by batch.
#[derive(Default)]
struct Expected {
    balances: BTreeMap<u64, i64>,
}
impl Expected {
    fn batch(&mut self, program: Program, batch: u64) -> Vec<(i64, i64)> {
        let numbers = batch * PER_BATCH..(batch + 1) * PER_BATCH;
        match program {
            Program::Stateless => numbers.map(|number| (number as i64, value_of(number))).collect(),
            Program::Window => {
                let from = (batch + 1).saturating_sub(WINDOW_BATCHES) * PER_BATCH;
                let sum = |key| (from..numbers.end).filter(|number| number % WINDOW_KEYS == key).sum::<u64>();
                (0..WINDOW_KEYS).map(|key| (key as i64, sum(key) as i64)).collect()
            }
            Program::State => {
                numbers.map(|number| ((number % STATE_KEYS) as i64, (number / STATE_KEYS) as i64 + 1)).collect()
            }
            Program::Money => {
                numbers.for_each(|number| self.transfer(number));
                self.balances.iter().map(|(account, balance)| (*account as i64, *balance)).collect()
            }
        }
    }
    fn transfer(&mut self, number: u64) {
        let Transfer { from, to, amount } = transfer(number);
        *self.balances.entry(from).or_default() -= amount;
        *self.balances.entry(to).or_default() += amount;
    }
}

/// Which batch a number came in is not known: each number is there once.
fn by_numbers(program: Program, rows: &[Row], numbers: u64) -> Difference {
    let mut difference = Difference::default();
    match program {
        Program::Window => difference.wrong(1, || "windows have no truth without the batches' numbers".to_owned()),
        Program::Money => balances(rows, numbers, &mut difference),
        Program::Stateless => {
            let mut seen = by_key(rows, |row| (row.key, row.value));
            for number in 0..numbers {
                let row = Row { time: 0, key: number as i64, value: value_of(number) };
                check_once(&mut difference, row, seen.remove(&(row.key, row.value)));
            }
            difference.wrong(seen.values().sum(), || format!("{:?} should not be there", seen.keys().next()));
        }
        Program::State => {
            let mut seen = by_key(rows, |row| (row.key, row.value));
            for number in 0..numbers {
                let (key, count) = ((number % STATE_KEYS) as i64, (number / STATE_KEYS) as i64 + 1);
                check_once(&mut difference, Row { time: 0, key, value: count }, seen.remove(&(key, count)));
            }
            difference.wrong(seen.values().sum(), || format!("{:?} should not be there", seen.keys().next()));
        }
    }
    difference
}
fn by_key(rows: &[Row], key: impl Fn(&Row) -> (i64, i64)) -> BTreeMap<(i64, i64), u64> {
    let mut seen = BTreeMap::new();
    rows.iter().for_each(|row| *seen.entry(key(row)).or_default() += 1);
    seen
}
fn check_once(difference: &mut Difference, row: Row, times: Option<u64>) {
    let times = times.unwrap_or(0);
    difference.lost(u64::from(times == 0), || format!("{row:?} (of any batch) is not there"));
    difference.doubled += times.saturating_sub(1);
    difference.tell(times.saturating_sub(1), || format!("{row:?} (of any batch) is there {times} times"));
}
/// Money is moved and not made, in every batch; and at the end all transfers have been made once.
fn balances(rows: &[Row], numbers: u64, difference: &mut Difference) {
    let mut expected = Expected::default();
    (0..numbers).for_each(|number| expected.transfer(number));
    let last = rows.iter().map(|row| row.time).max().unwrap_or_default();
    let mut seen = seen(rows);
    for (account, value) in &expected.balances {
        let row = Row { time: last, key: *account as i64, value: *value };
        check(difference, row, seen.remove(&(last, row.key)).unwrap_or_default());
    }
    for ((time, account), values) in seen {
        difference.doubled += values.len() as u64 - 1;
        difference.tell(values.len() as u64 - 1, || format!("account {account} of batch {time} is there twice"));
    }
    difference.wrong(unbalanced(rows), || "the balances of a batch do not add up to nothing".to_owned());
}

/// Batches whose balances do not add up to nothing: what must be none at every moment, of what a reader sees.
pub(crate) fn unbalanced(rows: &[Row]) -> u64 {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    rows.iter().for_each(|row| *sums.entry(row.time).or_default() += row.value);
    sums.values().filter(|sum| **sum != 0).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAMS: [Program; 4] = [Program::Stateless, Program::Window, Program::State, Program::Money];

    /// What a right application writes in so many batches.
    fn right(program: Program, batches: u64) -> Vec<Row> {
        let mut expected = Expected::default();
        let rows = |batch| {
            let time = 1000 + batch as i64 * BATCH.as_millis() as i64;
            expected.batch(program, batch).into_iter().map(move |(key, value)| Row { time, key, value }).collect()
        };
        (0..batches).map(rows).collect::<Vec<Vec<Row>>>().concat()
    }

    fn last(batches: i64) -> Until {
        Until::Batch(1000 + (batches - 1) * BATCH.as_millis() as i64)
    }

    #[test]
    fn what_is_right_is_found_right_and_what_is_not_is_counted() {
        for program in PROGRAMS {
            let rows = right(program, 30);
            assert_eq!(compare(program, &rows, last(30)), Difference::default(), "{program}");
            let counts = |rows: &[Row]| {
                let Difference { lost, doubled, wrong, .. } = compare(program, rows, last(30));
                (lost, doubled, wrong)
            };
            let without: Vec<Row> = rows.iter().enumerate().filter(|(at, _)| *at != 77).map(|(_, row)| *row).collect();
            assert_eq!(counts(&without), (1, 0, 0), "{program}");
            assert_eq!(counts(&[&rows[..], &rows[70..72]].concat()), (0, 2, 0), "{program}");
            let mut changed = rows.clone();
            changed[5].value += 1;
            assert_eq!(counts(&changed), (0, 0, 1), "{program}");
            let cut_short = right(program, 29);
            assert_eq!(counts(&cut_short), ((rows.len() - cut_short.len()) as u64, 0, 0), "{program}");
            let late: Vec<Row> = rows.iter().filter(|row| row.time > 1000).copied().collect();
            assert_ne!(counts(&late), (0, 0, 0), "{program}");
        }
        assert_eq!(compare(Program::State, &[], last(1)).lost, 1);
    }

    #[test]
    fn where_batches_are_not_known_numbers_are() {
        for program in [Program::Stateless, Program::State, Program::Money] {
            let rows = right(program, 30);
            let numbers = 30 * PER_BATCH;
            assert_eq!(compare(program, &rows, Until::Number(numbers)), Difference::default(), "{program}");
            assert!(!compare(program, &rows, Until::Number(numbers + 1)).is_none(), "{program}");
            assert!(!compare(program, &rows[..rows.len() - 1], Until::Number(numbers)).is_none(), "{program}");
        }
    }

    #[test]
    fn a_batch_of_which_a_part_is_seen_is_not_balanced() {
        let rows = right(Program::Money, 3);
        assert_eq!(unbalanced(&rows), 0);
        let some: Vec<Row> = rows.iter().copied().filter(|row| row.value != rows[0].value).collect();
        assert_ne!(unbalanced(&some), 0);
    }
}
