//! Folders that programs of the test kit left, as they are read back, and what is said of damaged ones.

use super::*;
use crate::conf::Conf;
use crate::context::StreamingContext;
use crate::testkit::TestEnv;
use headwater_core::env::Storage;
use headwater_core::time::{Time, seconds};
use headwater_core::{DStream, Data, Key};
use headwater_storage::{Fence, JournalEvent, JournalOptions, JournalState, MemoryStorage};
use std::collections::BTreeMap;
use std::sync::mpsc;

/// What an output told of its newest batch.
type Told<K, V> = BTreeMap<K, V>;

fn in_memory() -> (MemoryStorage, TestEnv) {
    let memory = MemoryStorage::new();
    (memory.clone(), TestEnv::new().with_storage(Arc::new(memory)))
}
/// Runs so many batches of a program in the folder `run`; what the newest told.
fn run<K: Key + Ord, V: Data>(
    env: &TestEnv,
    batches: u64,
    program: impl FnOnce(&DStream<(u64, u64)>) -> DStream<(K, V)>,
) -> Told<K, V> {
    run_for(env, batches, batches, program)
}
/// As [`run`], of so many seconds, in which there are so many batches: those that are late too.
fn run_for<K: Key + Ord, V: Data>(
    env: &TestEnv,
    for_seconds: u64,
    batches: u64,
    program: impl FnOnce(&DStream<(u64, u64)>) -> DStream<(K, V)>,
) -> Told<K, V> {
    let conf = Conf::new().master("local[2]").app_name("sums").checkpoint_dir("run");
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let (sent, received) = mpsc::channel();
    let numbers = ssc.rate_stream(10, 2, |n| (n % 7, n)).uid("numbers");
    program(&numbers).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(for_seconds));
    running.await_batches(batches).unwrap();
    running.stop().unwrap();
    received.try_iter().last().unwrap().into_iter().collect()
}
fn sums(numbers: &DStream<(u64, u64)>) -> DStream<(u64, u64)> {
    let sum = |new: &[u64], old: Option<&u64>| {
        let sum = old.unwrap_or(&0) + new.iter().sum::<u64>();
        // Now and then a key goes.
        (!sum.is_multiple_of(5)).then_some(sum)
    };
    numbers.update_state_by_key(move |new, old: Option<&u64>| sum(new, old)).uid("sums")
}
const SUMS: &str = "sums";

fn look(env: &TestEnv) -> CheckpointFolder {
    CheckpointFolder::look(env.storage.clone(), "run").unwrap()
}
fn stored<K: Key + Ord, V: Data>(folder: &CheckpointFolder, operator: &str) -> Vec<StoredItem<K, V>> {
    let mut items = Vec::new();
    folder
        .each_stored(operator, |item| {
            items.push(item);
            Ok(())
        })
        .unwrap();
    items
}
fn states<K: Key + Ord, V: Data>(folder: &CheckpointFolder, operator: &str) -> Told<K, V> {
    let entries = stored(folder, operator).into_iter().map(|item| match item {
        StoredItem::Entry { key, state, .. } => (key, state),
        _ => panic!("no window"),
    });
    entries.collect()
}
fn damaged(check: &CheckpointCheck) -> Vec<(&str, String)> {
    let files = check.parts.iter().flat_map(|part| part.check.damaged().map(|file| (part.part.as_str(), file)));
    files.map(|(part, file)| (part, file.condition.to_string())).collect()
}
fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

#[test]
fn what_is_stored_is_what_the_program_told() {
    let (_, env) = in_memory();
    for (process, batches) in [3, 1, 5].into_iter().enumerate() {
        let told = run(&env, batches, sums);
        let folder = look(&env);
        assert_eq!(states::<u64, u64>(&folder, SUMS), told);
        let overview = folder.overview();
        assert_eq!(overview.processes.len(), process + 1);
        assert_eq!((overview.application.as_str(), overview.open_batches.len()), ("sums", 0));
        let sizes = folder.state_sizes().unwrap();
        let (keys, bytes) = (told.len() as u64, sizes[0].bytes);
        assert_eq!(sizes, [StateSize { operator: SUMS.into(), keys, values: 0, bytes }]);
        assert!(bytes >= 2 * keys && bytes <= 10 * keys, "{bytes} bytes of {keys} keys");
    }
    let overview = look(&env).overview();
    let batches = overview.batches.unwrap();
    assert_eq!((batches.zero, batches.allocated, batches.committed), (at(0), at(9000), at(9000)));
    let operators: Vec<_> = overview.operators.iter().map(|of| (of.id.as_str(), of.kind.as_str(), of.since)).collect();
    assert_eq!(operators, [("numbers", "rate_stream", at(0)), (SUMS, "update_state_by_key", at(0))]);
    assert_eq!(overview.owner.as_deref(), Some("sums since 4000 ms"));
    let unknown = look(&env).each_stored::<u64, u64>("sum", |_| Ok(())).unwrap_err().to_string();
    assert!(unknown.contains(r#""sum"; those that have one: sums"#), "{unknown}");
}

#[test]
fn a_batch_that_failed_is_open_and_its_changes_do_not_count() {
    let (_, env) = in_memory();
    let told = run(&env, 3, sums);
    let conf = Conf::new().master("local[2]").app_name("sums").checkpoint_dir("run");
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let numbers = ssc.rate_stream(10, 2, |n| (n % 7, n)).uid("numbers");
    let sums = sums(&numbers);
    sums.foreach_rdd(|rdd, _| drop(rdd.collect()));
    numbers.for_each_partition(|_, _| Err::<(), &str>("no batch is done"));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    running.await_termination().unwrap_err();
    let _failed = running.stop();
    let folder = look(&env);
    let ranges: Vec<String> =
        folder.overview().open_batches[0].inputs.iter().map(|of| of.allocation.to_string()).collect();
    assert_eq!(ranges, ["partition 0, offsets 15..20; partition 1, offsets 15..20"]);
    assert_eq!(states::<u64, u64>(&folder, SUMS), told);
}

#[test]
fn windows_are_values_by_batch() {
    let (_, env) = in_memory();
    let window = |numbers: &DStream<(u64, u64)>| {
        numbers.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2)).uid("window")
    };
    let told = run(&env, 4, window);
    let mut sums: Told<u64, u64> = BTreeMap::new();
    for item in stored::<u64, u64>(&look(&env), "window/reduce_by_key_and_window_inverse") {
        if let StoredItem::Value { key, value, batch } = item
            && batch > at(2000)
        {
            *sums.entry(key).or_default() += value;
        }
    }
    assert_eq!(sums, told);
    let sizes = look(&env).state_sizes().unwrap();
    assert_eq!((sizes[0].keys, sizes[0].values), (7, 28));
}

#[test]
fn a_damaged_snapshot_is_passed_over_as_a_recovery_does() {
    let (memory, env) = in_memory();
    let long = |numbers: &DStream<(u64, u64)>| {
        let longest = |new: &[u64]| format!("{}{}", new.last().copied().unwrap_or(0), "x".repeat(400_000));
        numbers.update_state_by_key(move |new, _: Option<&String>| Some(longest(new))).uid("long")
    };
    let mut told = BTreeMap::new();
    while look_again(&env).is_none_or(|folder| folder.overview().snapshots.is_empty()) {
        told = run(&env, 5, long);
    }
    let id = "long";
    let folder = look(&env);
    assert_eq!(states::<u64, String>(&folder, id), told);
    assert!(CheckpointFolder::check(env.storage.clone(), "run").unwrap().is_good());
    let number = folder.overview().snapshots.last().unwrap().number;
    memory.flip_bit(&format!("run/state/snapshots/{number:020}/{:020}.log", 1), 8 * 1000);
    assert_eq!(states::<u64, String>(&folder, id), told);
    let check = CheckpointFolder::check(env.storage.clone(), "run").unwrap();
    let found = damaged(&check);
    assert_eq!((found.len(), found[0].0), (1, format!("state/snapshots/{number:020}").as_str()));
}
fn look_again(env: &TestEnv) -> Option<CheckpointFolder> {
    CheckpointFolder::look(env.storage.clone(), "run").ok()
}

#[test]
fn a_damaged_byte_is_found_in_every_file_and_named() {
    let (memory, env) = in_memory();
    run(&env, 3, sums);
    run(&env, 3, sums);
    for (path, bytes) in memory.paths().into_iter().filter(|(path, _)| !path.contains("/fence/") && path != "run/lock")
    {
        let copy = memory.copy();
        copy.flip_bit(&path, 8 * (bytes / 2));
        let storage: Arc<dyn Storage> = Arc::new(copy);
        let check = CheckpointFolder::check(storage.clone(), "run").unwrap();
        let conditions: Vec<_> = check.parts.iter().flat_map(|part| &part.check.files).collect();
        let found = conditions.iter().find(|file| file.path == path).map(|file| &file.condition);
        // What was synced last looks like a torn write.
        assert!(
            matches!(found, Some(FileCondition::Damaged { .. } | FileCondition::TornTail { .. })),
            "{path}: {found:?}"
        );
        let is_torn = matches!(found, Some(FileCondition::TornTail { .. }));
        // Of the logs of states the journal knows how far they must go.
        assert_eq!(check.is_good(), is_torn && !path.contains("/state/"), "{path}");
        if path.contains("/changes/") && !is_torn {
            let folder = CheckpointFolder::look(storage, "run").unwrap();
            let error = folder.state_sizes().unwrap_err();
            assert!(error.kind() == ErrorKind::Data && error.to_string().contains(&path), "{error}");
        }
    }
}

#[test]
fn a_removed_file_is_named_and_a_torn_tail_is_no_damage() {
    let (memory, env) = in_memory();
    run(&env, 3, sums);
    run(&env, 3, sums);
    let segment = |number: u64| format!("run/state/changes/{number:020}.log");
    let copy = memory.copy();
    copy.remove(&segment(1)).unwrap();
    let storage: Arc<dyn Storage> = Arc::new(copy);
    let error = CheckpointFolder::look(storage.clone(), "run").unwrap().state_sizes().unwrap_err();
    assert!(error.to_string().contains("it is missing, though later segments are there"), "{error}");
    let check = CheckpointFolder::check(storage.clone(), "run").unwrap();
    assert_eq!((damaged(&check).len(), damaged(&check)[0].0), (1, "state/changes"));
    // A restart does not go on with half a state.
    let conf = Conf::new().master("local[2]").app_name("sums").checkpoint_dir("run");
    let ssc = StreamingContext::with_env(conf, seconds(1), TestEnv::new().with_storage(storage).env()).unwrap();
    sums(&ssc.rate_stream(10, 2, |n| (n % 7, n)).uid("numbers")).print();
    let error = ssc.start().err().unwrap().to_string();
    assert!(error.contains("it is missing, though later segments are there"), "{error}");

    let torn = memory.copy();
    torn.append(&segment(2)).unwrap().append(b"half of a record").unwrap();
    let check = CheckpointFolder::check(Arc::new(torn), "run").unwrap();
    assert!(check.is_good());
    let conditions: Vec<String> = check.parts[1].check.files.iter().map(|file| file.condition.to_string()).collect();
    assert!(conditions[0] == "good" && conditions[1].starts_with("torn tail: 16 bytes from byte "), "{conditions:?}");
}

#[test]
fn other_folders_and_newer_releases_are_refused() {
    let none = CheckpointFolder::look(Arc::new(MemoryStorage::new()), "run").err().unwrap();
    assert!(
        none.kind() == ErrorKind::Program && none.to_string().starts_with("there is no checkpoint in run:"),
        "{none}"
    );

    #[derive(Default)]
    struct Newer;
    impl JournalEvent for Newer {
        fn encode(&self) -> Vec<u8> {
            vec![2, 0xc0]
        }
        fn decode(_: &[u8]) -> Result<Newer> {
            Ok(Newer)
        }
    }
    impl JournalState for Newer {
        type Event = Newer;
        fn apply(&mut self, _: &Newer) {}
        fn snapshot(&self) -> Vec<u8> {
            self.encode()
        }
        fn restore(_: &[u8]) -> Result<Newer> {
            Ok(Newer)
        }
    }
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let fence = Arc::new(Fence::take(storage.clone(), "run/fence", "newer").unwrap());
    let options = JournalOptions::new("sums");
    let (journal, _) = Journal::open(storage.clone(), "run/journal", options, fence, Newer::default).unwrap();
    journal.record(&Newer).unwrap();
    journal.sync().unwrap();
    let newer = CheckpointFolder::look(storage, "run").err().unwrap();
    let is_named = newer.to_string().contains("version 2 and this release reads version 1");
    assert!(newer.kind() == ErrorKind::Program && is_named, "{newer}");
}

#[test]
fn events_are_told_in_order_and_looking_changes_nothing() {
    let (memory, env) = in_memory();
    run(&env, 2, sums);
    let before = memory.paths();
    let folder = look(&env);
    let events = folder.events().unwrap();
    let names: Vec<&str> = events.iter().map(|event| event.name).collect();
    assert_eq!(names.first(), Some(&"Started"));
    assert_eq!(names.iter().filter(|name| **name == "Committed").count(), 2);
    assert!(events[0].what.starts_with("epoch 1, a batch every 1000 ms from 0 ms on, numbers sums"), "{}", events[0]);
    folder.state_sizes().unwrap();
    CheckpointFolder::check(env.storage.clone(), "run").unwrap();
    assert_eq!(memory.paths(), before);
    let sizes: BTreeMap<String, u64> = folder.sizes().unwrap().into_iter().map(|of| (of.part, of.bytes)).collect();
    let all: u64 = before.iter().filter(|(path, _)| path != "run/lock").map(|(_, bytes)| bytes).sum();
    assert_eq!(sizes.values().sum::<u64>(), all, "{sizes:?} of {before:?}");
}

#[test]
fn a_running_program_may_be_looked_into_at_any_time() {
    let (_, env) = in_memory();
    let conf = Conf::new().master("local[2]").app_name("sums").checkpoint_dir("run");
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let numbers = ssc.rate_stream(10, 2, |n| (n % 7, n)).uid("numbers");
    sums(&numbers).foreach_rdd(|rdd, _| drop(rdd.collect()));
    // What does not change is not written again.
    let long = numbers.update_state_by_key(|_, old: Option<&String>| {
        Some("x".repeat(100_000 + usize::from(old.is_some_and(|old| old.len() == 100_000))))
    });
    long.uid("long").foreach_rdd(|rdd, _| drop(rdd.count()));
    numbers
        .reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(3))
        .uid("window")
        .foreach_rdd(|_, _| ());
    let running = ssc.start().unwrap();
    // Enough for snapshots of journal and states, which remove what is old.
    let (batches, mut looks) = (400, 0);
    env.clock.advance(seconds(batches));
    while running.progress().completed < batches {
        let folder = look(&env);
        folder.state_sizes().unwrap();
        folder.events().unwrap();
        let check = CheckpointFolder::check(env.storage.clone(), "run").unwrap();
        assert!(check.is_good(), "{:?}", damaged(&check));
        looks += 1;
    }
    running.stop().unwrap();
    let overview = look(&env).overview();
    assert!(looks > 3 && overview.snapshots.len() > 1 && overview.open_batches.is_empty(), "{looks} {overview:?}");
}

/// Every file of the journal and of the logs of states is damaged in turn, or gone: behind a cut a program starts, and comes
/// to what it would have come to.
#[test]
fn a_damaged_folder_goes_on_behind_a_cut() {
    let (memory, env) = in_memory();
    let both = |numbers: &DStream<(u64, u64)>| {
        // So long that nothing of it goes: what a cut needs may be gone.
        let window = numbers.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(20)).uid("window");
        sums(numbers).union(&window.map(|(key, sum)| (key + 100, sum)))
    };
    for batches in [3, 2, 3] {
        run(&env, batches, both);
    }
    let whole = env.clone().with_storage(Arc::new(memory.copy()));
    let expected = run(&whole, 2, both);
    let (mut cuts, mut back) = (0, 0);
    for (path, bytes) in memory.paths().into_iter().filter(|(path, _)| path.ends_with(".log")) {
        for byte in [Some(20), Some(bytes / 3), Some(bytes / 2), Some(bytes - 20), None] {
            let copy = memory.copy();
            match byte {
                Some(byte) => copy.flip_bit(&path, 8 * byte),
                None => copy.remove(&path).unwrap(),
            }
            let (before, storage) = (copy.copy(), Arc::new(copy) as Arc<dyn Storage>);
            let is_good = CheckpointFolder::check(storage.clone(), "run").unwrap().is_good();
            let cut = match CheckpointFolder::find_cut(&storage, "run") {
                Ok(cut) => cut,
                // Nothing before it is good: it was the first of its segments.
                Err(error) => {
                    assert!(!is_good && error.kind() == ErrorKind::Data, "{byte:?} of {path}: {error}");
                    continue;
                }
            };
            assert_eq!(cut.is_none(), is_good, "{byte:?} of {path}: {cut:?}");
            assert_eq!(CheckpointFolder::cut(&storage, "run").unwrap(), cut);
            let Some(cut) = cut else { continue };
            for (path, _) in before.paths().into_iter().filter(|(path, _)| path.ends_with(".log")) {
                let kept = [path.clone(), path.replacen("run", &format!("run/{}", cut.aside), 1)];
                let kept = kept.map(|path| storage.read(&path).unwrap());
                assert!(kept.contains(&before.read(&path).unwrap()), "{path} is there, or moved");
            }
            let done = cut.newest.map_or(0, |newest| newest.milliseconds() as u64 / 1000);
            cuts += 1;
            back += u64::from(cut.known > cut.newest);
            env.clock.set(at(8_000));
            let again = env.clone().with_storage(storage);
            assert_eq!(run_for(&again, 2, 10 - done, both), expected, "{byte:?} of {path}, cut behind batch {done}");
        }
    }
    assert!(cuts > 20 && back > 5, "{cuts} cuts, of which {back} go behind what the journal knows");
}

#[test]
fn a_folder_without_damage_is_not_cut() {
    let (memory, env) = in_memory();
    run(&env, 3, sums);
    let before = memory.paths();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    assert_eq!(CheckpointFolder::cut(&storage, "run/").unwrap(), None);
    assert_eq!(memory.paths(), before);
    let none = CheckpointFolder::cut(&storage, "elsewhere").unwrap_err().to_string();
    assert!(none.contains("there is no checkpoint in elsewhere"), "{none}");
}
