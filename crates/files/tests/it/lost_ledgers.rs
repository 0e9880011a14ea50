//! What sinks of files do when their hidden folder has lost what it knew: it is told, and what is committed stays.

use crate::lives::{Application, BATCHES, bytes_of, numbers_of};
use crate::simulated_disk::{Crash, Fault, SimulatedDisk};
use headwater::env::{Env, FileSystem};
use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::testkit::{TestEnv, temporary_folder};
use headwater::time::Time;
use headwater::{Error, ErrorKind, Result};
use headwater_files::{FileSink, TableReader, TableSink, formats::TextLines};
use std::collections::BTreeMap;
use std::sync::Arc;

fn env_of(disk: &SimulatedDisk) -> Env {
    Env { files: Arc::new(disk.process(None)), ..headwater::system_env() }
}
fn time(batch: u64) -> Time {
    Time::from_millis(1000 * batch as i64)
}
/// A process of the application "app" that commits batches, each of its own number; the journal knows `committed`.
fn live(env: &Env, sink: &impl Sink<u64>, committed: Option<u64>, batches: &[u64]) -> Result<()> {
    let output = SinkOutput { application: "app", operator: "out", committed: committed.map(time), env };
    sink.recover(&output)?;
    for batch in batches {
        let part = sink.prepare(&SinkPart::new("out", time(*batch), (0, 0), env), vec![*batch].into_iter())?;
        sink.commit(&SinkBatch { output, time: time(*batch) }, &[part])?;
    }
    Ok(())
}
fn table(folder: &str) -> TableSink<TextLines> {
    FileSink::table(folder, TextLines)
}
fn numbers_of_manifest(env: &Env, folder: &str) -> Vec<u64> {
    TableReader::open(env.files.clone(), folder, TextLines).unwrap().records().map(Result::unwrap).collect()
}
/// What somebody sees who lists the folder: the files and what is in them.
fn listed(env: &Env, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = env.files.list(folder).unwrap().into_iter().filter(|entry| !entry.is_folder);
    entries.map(|entry| (entry.name.clone(), bytes_of(&*env.files, &format!("{folder}/{}", entry.name)))).collect()
}
fn hidden(env: &Env, folder: &str) -> String {
    format!("{folder}/_headwater/{}", env.files.list(&format!("{folder}/_headwater")).unwrap()[0].name)
}
#[track_caller]
fn is_lost(error: &Error, parts: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    let error = error.to_string();
    parts.iter().for_each(|part| assert!(error.contains(part), "{part:?} is not in {error:?}"));
}

#[test]
fn a_table_without_its_manifest_is_an_error_and_nothing_is_overwritten() {
    let (env, folder) = (TestEnv::new().env(), temporary_folder());
    let env = Env { files: headwater::system_env().files, ..env };
    live(&env, &table(&folder), None, &[1, 2, 3]).unwrap();
    let before = listed(&env, &folder);
    env.files.remove_folder(&format!("{folder}/_headwater")).unwrap();

    let error = live(&env, &table(&folder), Some(3), &[4]).unwrap_err();
    let told = ["knows nothing of the output \"out\" of the application \"app\"", "batch of 3000 ms", &folder[..]];
    is_lost(&error, &told);
    is_lost(&error, &["3 files of this output are not in it, such as part-", "accept_lost_ledger()"]);
    // Nothing is in the way of who puts the folder back.
    assert!(!env.files.exists(&format!("{folder}/_headwater")).unwrap());
    assert_eq!(listed(&env, &folder), before);

    live(&env, &table(&folder).accept_lost_ledger(), Some(3), &[4, 5]).unwrap();
    live(&env, &table(&folder), Some(5), &[6]).unwrap();
    let after = listed(&env, &folder);
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "{before:?} {after:?}");
    assert_eq!((after.len(), numbers_of_manifest(&env, &folder)), (6, vec![4, 5, 6]));
}

#[test]
fn a_loss_that_is_accepted_once_is_noted_also_where_no_batch_follows() {
    let (env, folder) = (headwater::system_env(), temporary_folder());
    live(&env, &table(&folder), Some(3), &[]).unwrap_err();
    live(&env, &table(&folder).accept_lost_ledger(), Some(3), &[]).unwrap();
    live(&env, &table(&folder), Some(3), &[3, 4]).unwrap();
    assert_eq!(numbers_of_manifest(&env, &folder), [4], "the third is committed");
    let batches = || FileSink::text(format!("{folder}/batches/of"));
    live(&env, &batches(), Some(3), &[]).unwrap_err();
    live(&env, &batches().accept_lost_ledger(), Some(3), &[]).unwrap();
    live(&env, &batches(), Some(3), &[3, 4]).unwrap();
    assert!(!env.files.exists(&format!("{folder}/batches/of-3000")).unwrap());
    assert!(env.files.exists(&format!("{folder}/batches/of-4000")).unwrap());
}

#[test]
fn a_manifest_without_its_newest_event_is_an_error() {
    let (env, folder) = (headwater::system_env(), temporary_folder());
    live(&env, &table(&folder), None, &[1, 2, 3]).unwrap();
    let before = listed(&env, &folder);
    let newest = format!("{}/manifest/{:020}.event", hidden(&env, &folder), 3);
    let bytes = bytes_of(&*env.files, &newest);
    env.files.remove_file(&newest).unwrap();
    let error = live(&env, &table(&folder), Some(3), &[4]).unwrap_err();
    is_lost(&error, &["knows nothing behind 2000 ms of", "batch of 3000 ms", "1 file of this output is not in it"]);
    // Restored, it goes on.
    env.files.create(&newest).unwrap().write_all(&bytes).unwrap();
    live(&env, &table(&folder), Some(3), &[4]).unwrap();
    assert_eq!(numbers_of_manifest(&env, &folder), [1, 2, 3, 4]);
    let after = listed(&env, &folder);
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "{before:?} {after:?}");
}

#[test]
fn a_program_without_a_journal_overwrites_nothing_and_tells_of_files_that_are_not_listed() {
    let (test_env, folder) = (TestEnv::new(), temporary_folder());
    let env = Env { files: headwater::system_env().files, ..test_env.env() };
    live(&env, &table(&folder), None, &[1, 2]).unwrap();
    let before = listed(&env, &folder);
    env.files.remove_folder(&format!("{folder}/_headwater")).unwrap();
    live(&env, &table(&folder), None, &[1, 2]).unwrap();
    let after = listed(&env, &folder);
    assert!(after.len() == 4 && before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "{after:?}");
    let warned = test_env.warnings().join("\n");
    assert!(warned.contains("2 files of this output are not in it, such as part-"), "{warned}");
}

#[test]
fn a_file_that_comes_into_the_way_of_a_commit_is_left_as_it_is() {
    let (env, folder) = (headwater::system_env(), temporary_folder());
    let sink = table(&folder);
    live(&env, &sink, None, &[1]).unwrap();
    let mine = listed(&env, &folder).into_keys().next().unwrap().replace("0000000001", "0000000002");
    env.files.create(&format!("{folder}/{mine}")).unwrap().write_all(b"precious").unwrap();
    let output = SinkOutput { application: "app", operator: "out", committed: None, env: &env };
    let part = sink.prepare(&SinkPart::new("out", time(2), (0, 0), &env), vec![2u64].into_iter()).unwrap();
    Sink::<u64>::commit(&sink, &SinkBatch { output, time: time(2) }, &[part]).unwrap();
    assert_eq!(listed(&env, &folder)[&mine], b"precious");
    assert_eq!(numbers_of_manifest(&env, &folder), [1, 2]);
}

#[test]
fn a_ledger_of_folders_that_is_gone_or_older_is_an_error() {
    let (env, folder) = (headwater::system_env(), temporary_folder());
    let sink = || FileSink::text(format!("{folder}/numbers"));
    live(&env, &sink(), None, &[1, 2]).unwrap();
    let ledger = format!("{}/ledger", hidden(&env, &folder));
    let older = bytes_of(&*env.files, &ledger);
    live(&env, &sink(), Some(2), &[3]).unwrap();
    env.files.create(&ledger).unwrap().write_all(&older).unwrap();
    is_lost(&live(&env, &sink(), Some(3), &[4]).unwrap_err(), &[&ledger, "knows nothing behind 2000 ms of", "3000 ms"]);
    env.files.remove_folder(&format!("{folder}/_headwater")).unwrap();
    let error = live(&env, &sink(), Some(3), &[4]).unwrap_err();
    is_lost(&error, &["knows nothing of the output \"out\"", "accept_lost_ledger()"]);
    live(&env, &sink().accept_lost_ledger(), Some(3), &[4]).unwrap();
    live(&env, &sink(), Some(4), &[5]).unwrap();
}

#[test]
fn batches_that_are_skipped_are_known_too() {
    let (env, folder) = (headwater::system_env(), temporary_folder());
    let sink = || FileSink::text(format!("{folder}/numbers")).skip_empty_batches();
    let output = SinkOutput { application: "app", operator: "out", committed: None, env: &env };
    let one = sink();
    Sink::<u64>::recover(&one, &output).unwrap();
    Sink::<u64>::commit(&one, &SinkBatch { output, time: time(1) }, &[]).unwrap();
    live(&env, &sink(), Some(1), &[2]).unwrap();
}

#[test]
fn a_file_that_comes_between_a_commit_and_its_renames_is_left_as_it_is_and_told() {
    let application = || Application::new(|| Box::new(FileSink::table("out", TextLines)));
    let reference = application();
    reference.live(None, 1).1.unwrap();
    let steps = reference.live(None, 1).0.steps();
    let name = listed(&env_of(&reference.disk), "out").into_keys().next().unwrap();
    let mut told = 0;
    for step in 1..=steps.max(40) {
        let application = application();
        let (other, path) = (application.disk.process(None), format!("out/{name}"));
        let mine = Fault::Meanwhile(Box::new(move || {
            other.create_folder("out").unwrap();
            if !other.exists(&path).unwrap() {
                other.create(&path).unwrap().write_all(b"precious").unwrap();
            }
        }));
        if let Err(error) = application.live(Some((step, mine)), 1).1 {
            assert_eq!(error.kind(), ErrorKind::Program, "{error}");
            let error = error.to_string();
            assert!(error.contains(&format!("{name} is there already, and a file of a committed batch, ")), "{error}");
            let env = env_of(&application.disk);
            assert_eq!(listed(&env, "out")[&name], b"precious");
            // Moved away, the batch comes.
            env.files.rename(&format!("out/{name}"), "elsewhere").unwrap();
            application.live(None, 1).1.unwrap();
            let mut numbers = numbers_of_manifest(&env, "out");
            numbers.sort_unstable();
            assert!((1..=BATCHES).flat_map(numbers_of).eq(numbers.iter().copied()), "step {step}: {numbers:?}");
            told += 1;
        }
    }
    assert!(told > 0);
}

/// Of what is left of a table when its hidden folder is removed between any two steps.
#[test]
fn a_loss_is_accepted_by_a_process_that_ends_at_any_step_and_nothing_is_overwritten() {
    let lossy = || {
        let application = Application::new(|| Box::new(FileSink::table("out", TextLines).accept_lost_ledger()));
        application.live(None, 1).1.unwrap();
        application.disk.process(None).remove_folder("out/_headwater").unwrap();
        application.journal.store(2, std::sync::atomic::Ordering::SeqCst);
        application
    };
    let steps = lossy().live(None, 1).0.steps();
    for step in 1..=steps {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let application = lossy();
            let before = listed(&env_of(&application.disk), "out");
            let (files, _) = application.live(Some((step, fault)), 1);
            assert!(files.has_ended(), "step {step}");
            application.disk.crash(Crash::OfProcess);
            application.live(None, 1).1.unwrap();
            let (env, after) = (env_of(&application.disk), listed(&env_of(&application.disk), "out"));
            assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "step {step}");
            let mut numbers = numbers_of_manifest(&env, "out");
            numbers.sort_unstable();
            assert!((3..=BATCHES).flat_map(numbers_of).eq(numbers.iter().copied()), "step {step}: {numbers:?}");
        }
    }
}
