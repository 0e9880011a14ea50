//! Checkpoint folders that earlier releases wrote: every later one goes on with them. `REWRITE=1` makes that of this release.
#![allow(clippy::disallowed_methods, reason = "files of the repository, and a setting of the tests")]

use headwater::env::Storage;
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater_storage::MemoryStorage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Batches that the folder has behind it.
const DONE: u64 = 12;

#[derive(Clone, Serialize, Deserialize)]
struct Seen {
    count: u64,
    newest: Option<u64>,
}

type Told = BTreeMap<i64, Vec<String>>;

/// States of each kind, time-outs, a window with keys that stay behind.
fn run(storage: &MemoryStorage, from: u64, until: u64) -> Told {
    let env = TestEnv::new().with_storage(Arc::new(storage.clone()));
    env.clock.set(Time::from_millis(from as i64 * 1000));
    let conf = Conf::new().master("local[2]").app_name("golden").state_snapshot_after(1);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    ssc.checkpoint("run");
    let numbers = ssc.rate_stream(6, 2, |n| (format!("key {}", n % 7), n)).uid("numbers");
    let some = numbers.filter(|(_, n)| (n / 6) % 4 != 3);
    let seen = StateSpec::function(|key: &String, n: Option<u64>, seen: &mut State<Seen>| {
        if seen.is_timing_out() {
            return format!("{key} times out");
        }
        let count = seen.get().map_or(0, |seen| seen.count) + 1;
        seen.update(Seen { count, newest: n });
        format!("{key} seen {count} times")
    });
    let seen = some.map_with_state(seen.timeout(seconds(1))).stream().uid("seen");
    let sums = some.update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.iter().sum::<u64>()));
    let window = some.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(3)).uid("window");
    let told = Arc::new(Mutex::new(Told::new()));
    let tells = told.clone();
    let sums = sums.uid("sums").map(|(key, sum)| format!("{key} sums up to {sum}"));
    let all = seen.union(&sums).union(&window.map(|(key, sum)| format!("{key} has {sum} in the window")));
    all.foreach_rdd(move |rdd, time| {
        let mut lines = rdd.collect().unwrap();
        lines.sort();
        tells.lock().unwrap().insert(time.milliseconds(), lines);
    });
    let running = ssc.start().unwrap();
    for second in from + 1..=until {
        env.clock.set(Time::from_millis(second as i64 * 1000));
        running.await_batches(second - from).unwrap();
    }
    running.stop().unwrap();
    told.lock().unwrap().clone()
}

fn folder(format: u64) -> String {
    format!("{}/tests/data/checkpoints/{format}", env!("CARGO_MANIFEST_DIR"))
}
fn files_below(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: std::path::PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => vec![path.to_str().unwrap().to_owned()],
    };
    entries.flat_map(below).collect()
}

#[test]
fn a_checkpoint_folder_of_format_1_goes_on() {
    let folder = folder(1);
    if std::env::var_os("REWRITE").is_some() {
        let storage = MemoryStorage::new();
        run(&storage, 0, DONE);
        let _old = std::fs::remove_dir_all(&folder);
        for (path, _) in storage.paths() {
            let to = format!("{folder}/{path}");
            std::fs::create_dir_all(Path::new(&to).parent().unwrap()).unwrap();
            std::fs::write(to, storage.read(&path).unwrap().unwrap()).unwrap();
        }
    }
    let storage = MemoryStorage::new();
    for path in files_below(Path::new(&folder)) {
        let name = path.strip_prefix(&format!("{folder}/")).unwrap();
        storage.put(name, &std::fs::read(&path).unwrap()).unwrap();
    }
    let (went_on, whole) = (run(&storage, DONE, DONE + 8), run(&MemoryStorage::new(), 0, DONE + 8));
    assert_eq!(went_on.len(), 8);
    for (time, lines) in went_on {
        assert_eq!(lines, whole[&time], "batch {time}");
    }
}
