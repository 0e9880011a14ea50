//! The state of a partition beside a plain map: every version, and every deadline.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SEED: HashSeed = HashSeed::new(2013);

/// A partition's state and what it should hold, with all versions since the oldest in use.
#[derive(Default)]
struct Model {
    now: BTreeMap<u64, u64>,
    versions: BTreeMap<i64, BTreeMap<u64, u64>>,
}

#[derive(Clone, Debug)]
enum Change {
    Set(u64, u64),
    Remove(u64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0..40u64, any::<u64>()).prop_map(|(key, state)| Change::Set(key, state)),
        2 => (0..40u64).prop_map(Change::Remove),
    ];
    prop::collection::vec(change, 0..30)
}

fn apply(keys: &mut KeyedState<u64, u64>, change: &Change) {
    let key = match change {
        Change::Set(key, _) | Change::Remove(key) => *key,
    };
    let hash = hash_of(SEED, &key);
    match (keys.find(hash, &key), change) {
        (Some(slot), Change::Set(_, state)) => keys.replace(slot, *state),
        (None, Change::Set(_, state)) => drop(keys.insert(hash, key, *state)),
        (Some(slot), Change::Remove(_)) => keys.remove(slot),
        (None, Change::Remove(_)) => {}
    }
}

fn read(keys: &KeyedState<u64, u64>, version: i64) -> BTreeMap<u64, u64> {
    let (mut found, mut cursor) = (BTreeMap::new(), Some(Cursor::default()));
    while let Some(from) = cursor {
        // Three at a time, so that scans go on where they ended.
        let mut page = Vec::new();
        cursor = keys.scan(Time::from_millis(version), from, 3, &mut page, |key, state| Some((*key, *state)));
        for (key, state) in page {
            assert_eq!(found.insert(key, state), None, "a key is read once");
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_version_is_what_it_was(
        batches in prop::collection::vec((changes(), any::<bool>(), 0..4i64), 1..12),
    ) {
        let (mut keys, mut model) = (KeyedState::new(SEED), Model::default());
        model.versions.insert(0, BTreeMap::new());
        let mut oldest = 0;
        for (number, (batch, fails, kept)) in (1i64..).zip(&batches) {
            let before = model.now.clone();
            if keys.compact(Time::from_millis(oldest)).is_some() {
                prop_assert_eq!(keys.num_slots(), keys.len());
            }
            for change in batch {
                apply(&mut keys, change);
                match change {
                    Change::Set(key, state) => drop(model.now.insert(*key, *state)),
                    Change::Remove(key) => drop(model.now.remove(key)),
                }
            }
            if *fails {
                keys.rollback();
                model.now = before;
            }
            oldest = number - kept;
            keys.commit(Time::from_millis(number), Time::from_millis(oldest));
            model.versions.insert(number, model.now.clone());
            model.versions.retain(|version, _| *version >= oldest);
            for (version, then) in &model.versions {
                prop_assert_eq!(&read(&keys, *version), then, "version {} behind {}", version, number);
            }
            prop_assert_eq!(keys.len(), model.now.len());
            for (key, state) in &model.now {
                let slot = keys.find(hash_of(SEED, key), key).expect("the key is there");
                prop_assert_eq!(keys.entry(slot), &(*key, *state));
            }
        }
    }

    #[test]
    fn deadlines_come_up_once_and_in_time(
        batches in prop::collection::vec((prop::collection::vec((0..12u64, 1..9i64), 0..8), any::<bool>()), 1..20),
    ) {
        let mut keys: KeyedState<u64, ()> = KeyedState::new(SEED);
        let mut deadlines: BTreeMap<u64, i64> = BTreeMap::new();
        for (number, (batch, fails)) in (1i64..).zip(&batches) {
            // The second try of a batch that fails does the same again.
            for fails in if *fails { vec![true, false] } else { vec![false] } {
                let now = Time::from_millis(number);
                keys.compact(Time::from_millis(number - 1));
                let mut wanted = deadlines.clone();
                for (key, wait) in batch {
                    let hash = hash_of(SEED, key);
                    let slot = keys.find(hash, key).unwrap_or_else(|| keys.insert(hash, *key, ()));
                    let timeout = Time::from_millis(number + wait);
                    keys.set_clock(slot, Clock { timeout, ..keys.clock(slot) });
                    wanted.insert(*key, number + wait);
                }
                let due: Vec<u32> = keys.due(now);
                let mut due_keys: Vec<u64> = due.iter().map(|slot| keys.entry(*slot).0).collect();
                due.iter().for_each(|slot| keys.remove(*slot));
                due_keys.sort_unstable();
                let wanted_keys: Vec<u64> =
                    wanted.iter().filter(|(_, deadline)| **deadline <= number).map(|(key, _)| *key).collect();
                prop_assert_eq!(due_keys, wanted_keys, "batch {}", number);
                if fails {
                    keys.rollback();
                } else {
                    wanted.retain(|_, deadline| *deadline > number);
                    deadlines = wanted;
                    keys.commit(now, now);
                }
            }
        }
    }
}

#[test]
fn timers_of_keys_that_are_gone_do_not_pile_up() {
    let mut keys: KeyedState<u64, ()> = KeyedState::new(SEED);
    let a_year = Time::from_millis(365 * 24 * 3600 * 1000);
    for batch in 0..100_000u64 {
        let slot = keys.insert(hash_of(SEED, &batch), batch, ());
        keys.set_clock(slot, Clock { timeout: a_year, ..Clock::NONE });
        keys.remove(slot);
        keys.commit(Time::from_millis(batch as i64), Time::from_millis(batch as i64));
    }
    assert!(keys.timers.bytes() < 64 << 10, "{} bytes", keys.timers.bytes());
    assert_eq!((keys.len(), keys.num_slots()), (0, 1));
}

/// Who reads page by page looks at the later batches once, and again if there is one more.
#[test]
fn the_changes_since_a_version_are_gathered_once() {
    let mut keys: KeyedState<u64, u64> = KeyedState::new(SEED);
    let batch = |keys: &mut KeyedState<u64, u64>, number: i64| {
        for key in 0..100 {
            apply(keys, &Change::Set(key, number as u64));
        }
        keys.commit(Time::from_millis(number), Time::from_millis(1));
    };
    (1..=2).for_each(|number| batch(&mut keys, number));
    let (mut cursor, mut page, mut gathered) = (Some(Cursor::default()), Vec::new(), Vec::new());
    while let Some(from) = cursor {
        page.clear();
        cursor = keys.scan(Time::from_millis(1), from, 10, &mut page, |_, state| Some(*state));
        assert!(page.iter().all(|state| *state == 1));
        if let Some(Cursor::Memory { slot, then }) = &mut cursor {
            gathered.push(then.sizes());
            // It would be seen if it were made again.
            then.forget_slots_before(*slot);
        }
        if gathered.len() == 5 {
            batch(&mut keys, 3);
        }
    }
    let expected = [100, 90, 80, 70, 60].map(|slots| (1, slots)).into_iter();
    let expected = expected.chain([100, 40, 30, 20, 10].map(|slots| (2, slots)));
    assert_eq!(gathered, expected.collect::<Vec<_>>());
}
