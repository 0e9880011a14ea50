//! Folders that earlier releases wrote, with the allocations of a journal: every later release reads them. `REWRITE=1`
//! makes those of this release.
#![allow(clippy::disallowed_methods, reason = "a setting of the tests")]

use super::process::{Journal, Process, Step};
use crate::context::StreamingContext;
use crate::testkit::ReliableSender;
use headwater_core::Text;
use headwater_core::dstream::DStream;
use headwater_core::env::{Network, Storage};
use headwater_core::time::Time;
use headwater_storage::{LocalStorage, MemoryStorage};
use std::sync::Arc;

fn lines(ssc: &StreamingContext) -> DStream<Text> {
    ssc.reliable_socket_text_stream("sender", 9999)
}
fn folder(appends: bool) -> String {
    let kind = if appends { "growing" } else { "whole" };
    format!("{}/tests/data/received-blocks-1/{kind}", env!("CARGO_MANIFEST_DIR"))
}
const FOLDERS: [&str; 2] = ["run/lines", "run/lines/fence"];

/// Three batches, of which the newest two are not done, and a message that no batch has.
#[test]
fn received_blocks_of_format_1_read() {
    for storage in [MemoryStorage::new(), MemoryStorage::new().without_append()] {
        let (local, folder) = (LocalStorage::new(), folder(storage.appends()));
        if std::env::var_os("REWRITE").is_some() {
            rewrite(&storage.copy(), &local, &folder);
        }
        for below in FOLDERS {
            for file in local.list(&format!("{folder}/{below}")).unwrap() {
                let bytes = local.read(&format!("{folder}/{below}/{}", file.name)).unwrap().unwrap();
                storage.put(&format!("{below}/{}", file.name), &bytes).unwrap();
            }
        }
        let mut journal = Journal { epoch: 1, ..Journal::default() };
        for seconds in [2, 3] {
            let bytes = local.read(&format!("{folder}/allocation-{seconds}")).unwrap().unwrap();
            journal.allocations.insert(Time::from_millis(1000 * seconds), bytes);
        }
        let sender = ReliableSender::new("me");
        (1..=5).for_each(|number| assert!(sender.send(&format!("message {number}\nhas two lines")).is_ok()));
        let network: Arc<dyn Network> = Arc::new(sender.clone());
        let process = Process::start(&storage, &network, &mut journal, lines).unwrap();
        process.recover(&mut journal).unwrap();
        sender.await_acknowledged();
        process.batch(&mut journal).unwrap();
        let expected: Vec<String> =
            (2..=5).flat_map(|number| [format!("message {number}"), "has two lines".to_owned()]).collect();
        assert_eq!(journal.records(), expected);
    }
}

fn rewrite(storage: &MemoryStorage, local: &LocalStorage, folder: &str) {
    let (sender, mut journal) = (ReliableSender::new("me"), Journal::default());
    let network: Arc<dyn Network> = Arc::new(sender.clone());
    let process = Process::start(storage, &network, &mut journal, lines).unwrap();
    for (number, step) in [(1, Step::Committed), (2, Step::Journaled), (3, Step::Journaled), (4, Step::Allocated)] {
        sender.send(&format!("message {number}\nhas two lines")).unwrap();
        sender.await_acknowledged();
        process.batch_until(&mut journal, step).unwrap();
    }
    drop(process);
    for below in FOLDERS {
        for old in local.list(&format!("{folder}/{below}")).unwrap() {
            local.remove(&format!("{folder}/{below}/{}", old.name)).unwrap();
        }
    }
    for (path, _) in storage.paths() {
        local.put(&format!("{folder}/{path}"), &storage.read(&path).unwrap().unwrap()).unwrap();
    }
    for (time, allocation) in &journal.allocations {
        local.put(&format!("{folder}/allocation-{}", time.milliseconds() / 1000), allocation).unwrap();
    }
}
