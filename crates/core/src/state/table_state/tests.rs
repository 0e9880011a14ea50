//! The pieces of a batch's changes beside plain maps.

use super::super::items::StateItems;
use super::*;
use crate::hash::hash_of;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SEED: HashSeed = HashSeed::new(2013);

type Told = TableState<u64, u64>;

/// Changes a key as an operator does, which tells it, or as what does not.
fn change(table: &mut Told, key: u64, to: Option<u64>, is_told: bool) {
    let hash = hash_of(SEED, &key);
    let TableState { keys, durable, .. } = table;
    let durable = durable.as_mut().filter(|_| is_told);
    match (keys.find(hash, &key), to) {
        (Some(slot), Some(state)) => {
            if let Some(durable) = durable {
                durable.change(keys, slot, (&key, Some(&keys.entry(slot).1), &state)).unwrap();
            }
            keys.replace(slot, state);
        }
        (None, Some(state)) => {
            let slot = keys.insert(hash, key, state);
            durable.into_iter().for_each(|durable| durable.insert(keys, slot).unwrap());
        }
        (Some(slot), None) => {
            durable.into_iter().for_each(|durable| durable.remove(keys, slot));
            keys.remove(slot);
        }
        (None, None) => {}
    }
}

/// A key, its state or none to remove it, and whether it is told.
fn changes() -> impl Strategy<Value = Vec<(u64, Option<u64>, bool)>> {
    // Few states, so that many stay what they are.
    prop::collection::vec((0..24u64, prop::option::weighted(0.8, 0..3u64), prop::bool::weighted(0.97)), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A copy that is given the pieces of each batch; some batches fail.
    #[test]
    fn pieces_say_all_that_a_batch_has_changed(batches in prop::collection::vec((changes(), any::<bool>()), 1..10)) {
        let (mut table, mut now, mut copy) = (Told::fresh(SEED), BTreeMap::new(), BTreeMap::new());
        table.keep_changes(0);
        for (version, (batch, fails)) in (1..).zip(batches) {
            let before = now.clone();
            for (key, to, is_told) in batch {
                change(&mut table, key, to, is_told);
                match to {
                    Some(state) => now.insert(key, state),
                    None => now.remove(&key),
                };
            }
            let at = Time::from_millis(version);
            if fails {
                table.rollback();
                now = before;
            }
            for (_, piece) in table.changes(at).unwrap() {
                let mut items = StateItems::new(&piece).unwrap();
                while let Some(item) = items.next_item::<u64, u64>().unwrap() {
                    match item {
                        StateItem::Removed(key) => copy.remove(&key),
                        StateItem::Entry { key, state, .. } => copy.insert(key, state),
                        other => panic!("{other:?} in a table"),
                    };
                }
            }
            prop_assert_eq!(&copy, &now);
            table.commit(at, at);
        }
    }
}

#[test]
fn what_is_changed_again_and_again_is_written_a_few_times() {
    let mut table = Told::fresh(SEED);
    table.keep_changes(0);
    (0..24).for_each(|key| change(&mut table, key, Some(0), true));
    table.changes(Time::from_millis(1)).unwrap();
    table.commit(Time::from_millis(1), Time::from_millis(1));
    (0..1000).for_each(|state| change(&mut table, 7, Some(state), true));
    let (_, piece) = table.changes(Time::from_millis(2)).unwrap().remove(0);
    let mut items = StateItems::new(&piece).unwrap();
    let states: Vec<_> = std::iter::from_fn(|| items.next_item::<u64, u64>().unwrap()).collect();
    let entry = |state| StateItem::Entry { key: 7, state, timeout: None, timer: None };
    assert_eq!(states[states.len() - 1], entry(999));
    assert!(states.len() <= 3, "{states:?}");
}
