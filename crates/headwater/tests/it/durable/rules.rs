//! Folders that are not as they should be: each is a clear error, or is stood by, and nothing is lost.

use headwater::checkpoint::CheckpointFolder;
use headwater::env::Storage;
use headwater::prelude::*;
use headwater::testkit::{TestEnv, temporary_folder};
use headwater::{ErrorKind, Result};
use headwater_storage::{Failure, FaultPlan, FaultyStorage, MemoryStorage};
use std::sync::{Arc, Mutex};

type Sums = Vec<(u64, u64)>;

fn conf() -> Conf {
    Conf::new().master("local[2]").app_name("sums").state_snapshot_after(1)
}
fn start(env: &TestEnv, conf: Conf, folder: &str) -> Result<(RunningContext, Arc<Mutex<Sums>>)> {
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
    ssc.checkpoint(folder);
    let numbers = ssc.rate_stream(6, 2, |n| (n % 3, n)).uid("numbers");
    let sums = numbers.update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.iter().sum::<u64>()));
    let newest = Arc::new(Mutex::new(Vec::new()));
    let tells = newest.clone();
    sums.uid("sums").foreach_rdd(move |rdd, _| {
        if let Ok(mut sums) = rdd.collect() {
            sums.sort_unstable();
            *tells.lock().unwrap() = sums;
        }
    });
    Ok((ssc.start()?, newest))
}
/// So many batches more; the sums behind the last one.
fn run(env: &TestEnv, conf: Conf, folder: &str, batches: u64) -> Result<Sums> {
    let (running, newest) = start(env, conf, folder)?;
    for batch in 1..=batches {
        env.clock.set(env.clock_now() + seconds(1));
        running.await_batches(batch)?;
    }
    running.stop_gracefully()?;
    let newest = newest.lock().unwrap().clone();
    Ok(newest)
}
/// The sums behind so many batches.
fn sums(batches: u64) -> Sums {
    (0..3).map(|key| (key, (0..6 * batches).filter(|n| n % 3 == key).sum())).collect()
}
fn in_memory() -> (MemoryStorage, TestEnv) {
    let storage = MemoryStorage::new();
    (storage.clone(), TestEnv::new().with_storage(Arc::new(storage)))
}

#[test]
fn a_damaged_snapshot_is_replaced_by_the_one_before_and_the_changes_since() {
    let (storage, env) = in_memory();
    let (mut done, mut warned) = (0, false);
    // A snapshot that is under way when the process ends is none.
    while !warned {
        run(&env, conf(), "run", 8).unwrap();
        let snapshots =
            storage.paths().into_iter().filter(|(path, bytes)| path.contains("/snapshots/") && *bytes > 120);
        snapshots.max().into_iter().for_each(|(newest, _)| storage.flip_bit(&newest, 8 * 100));
        done += 9;
        assert_eq!(run(&env, conf(), "run", 1).unwrap(), sums(done));
        warned = env.warnings().iter().any(|warning| warning.contains("an older snapshot"));
        assert!(warned || done < 900, "{:?}", env.warnings());
    }
}

#[test]
fn what_is_stored_stays_bounded() {
    let (storage, env) = in_memory();
    let bytes = || storage.paths().iter().map(|(_, bytes)| bytes).sum::<u64>();
    run(&env, conf(), "run", 50).unwrap();
    let (early, files) = (bytes(), storage.paths().len());
    assert_eq!(run(&env, conf(), "run", 400).unwrap(), sums(450));
    let (late, more_files) = (bytes(), storage.paths().len());
    // Logs are cut by whole segments, and there is one for each process at least.
    assert!(late < early + (256 << 10), "{early} bytes grew to {late}: {:?}", storage.paths());
    assert!(more_files < files + 20, "{files} files grew to {more_files}");
}

#[test]
fn many_restarts_leave_a_bounded_number_of_files() {
    let (storage, env) = in_memory();
    let conf = || Conf::new().master("local[1]").app_name("sums");
    let mut most = 0;
    for batches in 1..=140 {
        assert_eq!(run(&env, conf(), "run", 2).unwrap(), sums(2 * batches));
        most = most.max(storage.paths().len());
    }
    // Each of the 140 processes leaves a segment of changes; those of 50 may be read at a restart.
    assert!(most < 100, "{most} files");
}

#[test]
fn a_folder_of_another_application_is_refused_and_not_touched() {
    let (storage, env) = in_memory();
    run(&env, conf(), "run", 1).unwrap();
    let before = storage.paths();
    let refused = run(&env, conf().app_name("others"), "run", 1).unwrap_err();
    assert!(
        refused.to_string().contains("belongs to the application \"sums\" and this one is \"others\""),
        "{refused}"
    );
    assert_eq!(storage.paths(), before);
}

#[test]
fn a_folder_of_a_newer_release_is_refused() {
    let (storage, env) = in_memory();
    run(&env, conf(), "run", 2).unwrap();
    for part in ["run/journal", "run/state/changes"] {
        let copy = storage.copy();
        for file in copy.list(part).unwrap() {
            let path = format!("{part}/{}", file.name);
            let mut bytes = copy.read(&path).unwrap().unwrap();
            // The version stands behind the eight bytes that say what file it is, and has a checksum of its own.
            let mut newer = bytes[..8].to_vec();
            newer.extend(99u16.to_le_bytes());
            newer.extend(crc32c::crc32c(&newer).to_le_bytes());
            bytes[..newer.len()].copy_from_slice(&newer);
            copy.put(&path, &bytes).unwrap();
        }
        let env = env.clone().with_storage(Arc::new(copy));
        let refused = run(&env, conf(), "run", 1).unwrap_err().to_string();
        assert!(refused.contains(part) && refused.contains("99"), "{refused}");
    }
}

#[test]
fn a_folder_that_was_copied_in_part_is_refused() {
    let (storage, env) = in_memory();
    for _ in 0..3 {
        run(&env, conf(), "run", 3).unwrap();
    }
    let mut refused = 0;
    for (path, _) in storage.paths().into_iter().filter(|(path, _)| !path.contains("/fence/")) {
        let copy = storage.copy();
        copy.remove(&path).unwrap();
        let env = env.clone().with_storage(Arc::new(copy));
        match run(&env, conf(), "run", 1) {
            // It was one of two snapshots, say.
            Ok(told) => assert_eq!(told, sums(10), "without {path}"),
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::Data, "without {path}: {error}");
                assert!(error.to_string().contains("copied in part"), "{error}");
            }
        }
        env.clock.set(Time::from_millis(9_000));
    }
    assert!(refused > 0);
}

#[test]
fn a_folder_whose_journal_is_gone_is_not_taken_for_a_new_one() {
    let (storage, env) = in_memory();
    run(&env, conf(), "run", 3).unwrap();
    for (path, _) in storage.paths().into_iter().filter(|(path, _)| path.contains("/journal/")) {
        storage.remove(&path).unwrap();
    }
    let refused = run(&env, conf(), "run", 1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Data);
    assert!(refused.to_string().contains("has states and no journal"), "{refused}");
}

#[test]
fn who_looks_into_a_folder_sees_that_a_log_ends_too_early() {
    let (storage, env) = in_memory();
    run(&env, conf(), "run", 3).unwrap();
    let newest = storage.list("run/state/changes").unwrap().pop().unwrap().name;
    storage.remove(&format!("run/state/changes/{newest}")).unwrap();
    let check = CheckpointFolder::check(env.storage.clone(), "run").unwrap();
    assert!(!check.is_good(), "{check:?}");
    let folder = CheckpointFolder::look(env.storage.clone(), "run").unwrap();
    let error = folder.state_sizes().unwrap_err().to_string();
    assert!(error.contains("what was committed goes on"), "{error}");
}

#[test]
fn a_full_disk_holds_batches_up_until_there_is_room() {
    for step in [20, 21, 23, 26, 30] {
        let plan = FaultPlan::new(step).fail(step, Failure::DiskFull).fail(step + 1, Failure::DiskFull);
        let disk = FaultyStorage::new(MemoryStorage::new(), plan);
        let env = TestEnv::new().with_storage(Arc::new(disk));
        let (running, newest) = start(&env, conf(), "run").unwrap();
        env.clock.set(Time::from_millis(8_000));
        // Every tenth of a batch it is tried again.
        for _ in 0..30 {
            if running.await_termination_or_timeout(milliseconds(0)).is_err() || running.progress().completed >= 8 {
                break;
            }
            env.clock.advance(milliseconds(10));
            std::thread::yield_now();
        }
        while running.progress().completed < 8 {
            env.clock.advance(milliseconds(1));
            std::thread::yield_now();
        }
        running.stop().unwrap();
        assert!(newest.lock().unwrap()[0].1 >= sums(8)[0].1, "step {step}");
    }
}

#[test]
fn a_second_process_on_a_local_folder_is_refused_while_the_first_runs() {
    let (folder, env) = (temporary_folder(), TestEnv::new());
    let path = folder.to_string();
    let (first, _) = start(&env, conf(), &path).unwrap();
    let refused = start(&env, conf(), &path).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Fenced);
    assert!(refused.to_string().contains("is in use by another process"), "{refused}");
    env.clock.set(env.clock_now() + seconds(1));
    first.await_batches(1).unwrap();
    first.stop().unwrap();
    drop(first);
    assert_eq!(run(&env, conf(), &path, 1).unwrap(), sums(2));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "where relative paths begin")]
fn one_folder_may_be_named_in_two_ways_and_two_folders_may_not() {
    let (folder, env) = (temporary_folder(), TestEnv::new());
    let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
    let relative = format!("{up}{}", folder.to_string().trim_start_matches('/'));
    for (set, named) in [("/run", "/./run/"), ("//run", "/run"), ("/run", "/other/../run")] {
        let absolute = conf().checkpoint_dir(format!("{folder}{set}"));
        run(&env, absolute, &format!("{relative}{named}"), 1).unwrap();
    }
    let absolute = conf().checkpoint_dir(format!("{folder}/run"));
    let refused = run(&env, absolute, &format!("{relative}/other"), 1).unwrap_err().to_string();
    assert!(
        refused.contains(&format!("the checkpoint folder is {folder}/run; it is a path, and set once")),
        "{refused}"
    );
}

#[test]
#[allow(clippy::disallowed_methods, reason = "what others do to the folder")]
fn a_folder_that_is_removed_under_the_program_ends_it() {
    let (folder, env) = (temporary_folder(), TestEnv::new());
    let path = format!("{}/run", folder);
    let (running, _) = start(&env, conf(), &path).unwrap();
    env.clock.set(env.clock_now() + seconds(1));
    running.await_batches(1).unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    env.clock.set(env.clock_now() + seconds(1));
    let ended = running.await_termination().unwrap_err().to_string();
    assert!(ended.contains("removed") && ended.contains(&path), "{ended}");
    assert_eq!(running.progress().completed, 1);
}

#[test]
fn a_folder_that_cannot_be_written_fails_the_start() {
    // A file stands where the folder should be.
    let (folder, env) = (temporary_folder(), TestEnv::new());
    let file = format!("{}/file", folder);
    env.storage.put(&file, b"no folder").unwrap();
    let refused = start(&env, conf(), &format!("{file}/run")).err().unwrap().to_string();
    assert!(refused.contains(&file), "{refused}");
}

#[test]
fn an_input_that_cannot_deliver_again_is_refused_unless_the_user_says_so() {
    let env = TestEnv::in_memory();
    let run = |conf: Conf| -> Result<()> {
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
        ssc.checkpoint("run");
        ssc.queue_stream(&RddQueue::<u64>::new()).uid("queue").print();
        let running = ssc.start()?;
        env.clock.set(env.clock_now() + seconds(1));
        running.await_batches(1)?;
        running.stop()
    };
    run(conf()).unwrap();
    let before = env.storage.list("run/fence").unwrap();
    let refused = run(conf()).unwrap_err().to_string();
    assert_eq!(env.storage.list("run/fence").unwrap(), before, "the process that ran is not replaced");
    assert!(refused.contains("queue_stream at") && refused.contains("restart_without_inputs = true"), "{refused}");
    run(conf().restart_without_inputs(true)).unwrap();
}
