//! A shard beside a plain map: every version, and every deadline.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SEED: HashSeed = HashSeed::new(2013);

/// A shard and what it should hold, with all versions since the oldest in use.
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

fn apply(shard: &mut Shard<u64, u64>, change: &Change) {
    let key = match change {
        Change::Set(key, _) | Change::Remove(key) => *key,
    };
    let hash = hash_of(SEED, &key);
    match (shard.find(hash, &key), change) {
        (Some(slot), Change::Set(_, state)) => shard.replace(slot, *state),
        (None, Change::Set(_, state)) => drop(shard.insert(hash, key, *state)),
        (Some(slot), Change::Remove(_)) => shard.remove(slot),
        (None, Change::Remove(_)) => {}
    }
}

fn read(shard: &Shard<u64, u64>, version: i64) -> BTreeMap<u64, u64> {
    let (mut found, mut from, mut then) = (BTreeMap::new(), Some(0), Then::default());
    while let Some(at) = from {
        // Three at a time, so that scans go on where they ended.
        let mut left = 3;
        from = shard.scan(Time::from_millis(version), at, &mut then, |key, state| {
            assert_eq!(found.insert(*key, *state), None, "a key is read once");
            left -= 1;
            left > 0
        });
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_version_is_what_it_was(
        batches in prop::collection::vec((changes(), any::<bool>(), 0..4i64), 1..12),
    ) {
        let (mut shard, mut model) = (Shard::new(SEED), Model::default());
        model.versions.insert(0, BTreeMap::new());
        for (number, (batch, fails, kept)) in (1i64..).zip(&batches) {
            let before = model.now.clone();
            for change in batch {
                apply(&mut shard, change);
                match change {
                    Change::Set(key, state) => drop(model.now.insert(*key, *state)),
                    Change::Remove(key) => drop(model.now.remove(key)),
                }
            }
            if *fails {
                shard.rollback();
                model.now = before;
            }
            let oldest = number - kept;
            shard.commit(Time::from_millis(number));
            shard.forget_before(Time::from_millis(oldest));
            model.versions.insert(number, model.now.clone());
            model.versions.retain(|version, _| *version >= oldest);
            for (version, then) in &model.versions {
                prop_assert_eq!(&read(&shard, *version), then, "version {} behind {}", version, number);
            }
            prop_assert_eq!(shard.len(), model.now.len());
            for (key, state) in &model.now {
                let slot = shard.find(hash_of(SEED, key), key).expect("the key is there");
                prop_assert_eq!(shard.entry(slot), &(*key, *state));
            }
        }
    }

    #[test]
    fn deadlines_come_up_once_and_in_time(
        batches in prop::collection::vec((prop::collection::vec((0..12u64, 1..9i64), 0..8), any::<bool>()), 1..20),
    ) {
        let mut shard: Shard<u64, ()> = Shard::new(SEED);
        let mut deadlines: BTreeMap<u64, i64> = BTreeMap::new();
        for (number, (batch, fails)) in (1i64..).zip(&batches) {
            // The second try of a batch that fails does the same again.
            for fails in if *fails { vec![true, false] } else { vec![false] } {
                let now = Time::from_millis(number);
                let mut wanted = deadlines.clone();
                for (key, wait) in batch {
                    let hash = hash_of(SEED, key);
                    let slot = shard.find(hash, key).unwrap_or_else(|| shard.insert(hash, *key, ()));
                    let timeout = Time::from_millis(number + wait);
                    shard.set_clock(slot, Clock { timeout, ..shard.clock(slot) });
                    wanted.insert(*key, number + wait);
                }
                let due: Vec<u32> = shard.due(now);
                let mut keys: Vec<u64> = due.iter().map(|slot| shard.entry(*slot).0).collect();
                due.iter().for_each(|slot| shard.remove(*slot));
                keys.sort_unstable();
                let wanted_keys: Vec<u64> =
                    wanted.iter().filter(|(_, deadline)| **deadline <= number).map(|(key, _)| *key).collect();
                prop_assert_eq!(keys, wanted_keys, "batch {}", number);
                if fails {
                    shard.rollback();
                } else {
                    wanted.retain(|_, deadline| *deadline > number);
                    deadlines = wanted;
                    shard.commit(now);
                    shard.forget_before(now);
                }
            }
        }
    }
}

#[test]
fn timers_of_keys_that_are_gone_do_not_pile_up() {
    let mut shard: Shard<u64, ()> = Shard::new(SEED);
    let a_year = Time::from_millis(365 * 24 * 3600 * 1000);
    for batch in 0..100_000u64 {
        let slot = shard.insert(hash_of(SEED, &batch), batch, ());
        shard.set_clock(slot, Clock { timeout: a_year, ..Clock::NONE });
        shard.remove(slot);
        shard.commit(Time::from_millis(batch as i64));
        shard.forget_before(Time::from_millis(batch as i64));
    }
    assert!(shard.timers.bytes() < 64 << 10, "{} bytes", shard.timers.bytes());
    assert_eq!((shard.len(), shard.num_slots()), (0, 1));
}

/// Who reads page by page looks at the later batches once, and again if there is one more.
#[test]
fn the_changes_since_a_version_are_gathered_once() {
    let mut shard: Shard<u64, u64> = Shard::new(SEED);
    let batch = |shard: &mut Shard<u64, u64>, number: i64| {
        for key in 0..100 {
            apply(shard, &Change::Set(key, number as u64));
        }
        shard.commit(Time::from_millis(number));
    };
    (1..=2).for_each(|number| batch(&mut shard, number));
    let (mut then, mut from, mut pages, mut gathered) = (Then::default(), Some(0), 0, Vec::new());
    while let Some(at) = from {
        let mut left = 10;
        from = shard.scan(Time::from_millis(1), at, &mut then, |_, state| {
            assert_eq!(*state, 1);
            left -= 1;
            left > 0
        });
        gathered.push((then.batches, then.slots.len()));
        // It would be seen if it were made again.
        then.slots.retain(|slot, _| *slot as usize >= at);
        pages += 1;
        if pages == 5 {
            batch(&mut shard, 3);
        }
    }
    let expected: Vec<_> = (0..11)
        .map(|page| match page {
            0 => (1, 100),
            1..5 => (1, 100 - 10 * (page - 1)),
            5 => (2, 100),
            _ => (2, 100 - 10 * (page - 1)),
        })
        .collect();
    assert_eq!(gathered, expected);
}
