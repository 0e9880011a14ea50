//! What an output in folders says of a disk that is full, closed, gone, or somebody else's; and that nothing is lost by it.

use crate::lives::{Application, BATCHES, bytes_of};
use crate::simulated_disk::{Fault, SimulatedDisk};
use headwater::ErrorKind;
use headwater::env::FileSystem;
use headwater::sink::Sink;
use headwater_files::{FileSink, formats::TextLines};
use std::io::{self, Write};

fn application() -> Application {
    Application::new(|| Box::new(FileSink::text("out/numbers")))
}
fn batches_seen(disk: &SimulatedDisk) -> Vec<String> {
    let entries = disk.process(None).list("out").unwrap();
    entries.into_iter().map(|entry| entry.name).filter(|name| name != "_headwater").collect()
}

#[test]
fn a_folder_that_cannot_be_written_to_fails_the_start_and_says_what_helps() {
    let cases = [
        (io::ErrorKind::ReadOnlyFilesystem, ErrorKind::Program, "choose a file system that can be written to"),
        (io::ErrorKind::PermissionDenied, ErrorKind::Program, "change the folder's permissions or choose another"),
        (io::ErrorKind::StorageFull, ErrorKind::Resources, "free some space on the disk"),
    ];
    for (cause, kind, help) in cases {
        let error = application().live(Some((1, Fault::Fail(cause))), 1).1.unwrap_err();
        assert_eq!(error.kind(), kind);
        let error = error.to_string();
        assert!(
            error.starts_with("cannot create folder out/_headwater/numbers-out-") && error.ends_with(help),
            "{error}"
        );
    }
}

#[test]
fn a_file_where_the_folder_should_be_is_an_error_of_the_program() {
    let application = application();
    application.disk.process(None).create("out").unwrap().write_all(b"a file").unwrap();
    let error = application.live(None, 1).1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program, "{error}");
    assert_eq!(bytes_of(&application.disk.process(None), "out"), b"a file");
}

#[test]
fn a_folder_that_somebody_else_made_is_left_as_it_is() {
    let application = application();
    let other = application.disk.process(None);
    other.create_folder("out/numbers-2000").unwrap();
    other.create("out/numbers-2000/mine").unwrap().write_all(b"precious").unwrap();
    for _ in 0..2 {
        let error = application.live(None, 1).1.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        let error = error.to_string();
        assert!(
            error.starts_with("out/numbers-2000 is there already, and was written by something that is no"),
            "{error}"
        );
        assert!(
            error.contains("not by the output out of the application app in its batch of 2000 ms: remove it"),
            "{error}"
        );
    }
    assert_eq!(batches_seen(&application.disk), ["numbers-1000", "numbers-2000"]);
    assert_eq!(bytes_of(&other, "out/numbers-2000/mine"), b"precious");
    other.rename("out/numbers-2000", "elsewhere").unwrap();
    application.live(None, 1).1.unwrap();
    assert_eq!(batches_seen(&application.disk).len() as u64, BATCHES);
}

#[test]
fn of_two_outputs_on_one_prefix_the_one_that_comes_later_says_whose_the_folder_is() {
    let steps = application().live(None, 1).0.steps();
    for step in 1..=steps {
        let application = application();
        let other = application.another("app", "other");
        let first = Fault::Meanwhile(Box::new(move || drop(other.live(None, 1))));
        let Err(error) = application.live(Some((step, first)), 1).1 else { continue };
        assert_eq!(error.kind(), ErrorKind::Program, "at {step}: {error}");
        let error = error.to_string();
        let whose = "is there already, and was written by the output other of the application app in its batch of";
        assert!(error.contains(whose), "at {step}: {error}");
        assert!(error.ends_with("remove it, or choose another prefix for one of the outputs"), "at {step}: {error}");
    }
}

#[test]
fn a_folder_that_is_removed_while_the_program_runs_is_told_and_the_next_process_goes_on() {
    let steps = application().live(None, 1).0.steps();
    for step in 1..=steps {
        let application = application();
        let remover = application.disk.process(None);
        let removed = Fault::Meanwhile(Box::new(move || remover.remove_folder("out").unwrap()));
        let (_, ended) = application.live(Some((step, removed)), 1);
        let Err(error) = ended else { continue };
        assert_eq!(error.kind(), ErrorKind::Program, "at {step}: {error}");
        let noted = application.journal.load(std::sync::atomic::Ordering::SeqCst);
        if noted > 0 {
            // What the journal knows is gone, and so somebody must look.
            let error = application.live(None, 1).1.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data, "at {step}: {error}");
        }
        let sink = || Box::new(FileSink::text("out/numbers").accept_lost_ledger()) as _;
        Application { sink, ..application.clone() }.live(None, 1).1.unwrap();
        let left = batches_seen(&application.disk);
        let wanted = (noted + 1..=BATCHES).map(|batch| format!("numbers-{batch}000"));
        assert!(wanted.into_iter().all(|batch| left.contains(&batch)), "at {step}: {left:?}, noted {noted}");
    }
}

#[test]
fn a_name_that_cannot_be_is_refused_at_the_start() {
    let application = Application::new(|| Box::new(FileSink::text("out/numbers").suffix("a/b")));
    let error = application.live(None, 1).1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    assert!(error.to_string().contains("the suffix \"a/b\": no NUL bytes, and no / in a suffix"), "{error}");
}

#[test]
fn a_prefix_without_a_name_is_refused_at_the_start_and_makes_no_folder() {
    let sinks: [(&str, fn() -> Box<dyn Sink<u64>>); 3] = [
        ("\"\"", || Box::new(FileSink::text("").suffix("txt"))),
        ("\"out/\"", || Box::new(FileSink::text("out/").suffix("txt"))),
        ("\"/\"", || Box::new(FileSink::text("/"))),
    ];
    for (prefix, sink) in sinks {
        let (files, ended) = Application::new(sink).live(None, 1);
        let error = ended.unwrap_err();
        assert_eq!((error.kind(), files.steps()), (ErrorKind::Program, 0), "{error}");
        let told = format!("FileSink {prefix}: the prefix has no name in it, with which those of the folders begin");
        assert!(error.to_string().starts_with(&told), "{error}");
    }
}

#[test]
fn a_path_with_a_scheme_is_refused_at_the_start_and_makes_no_folder() {
    let sinks: [fn() -> Box<dyn Sink<u64>>; 3] = [
        || Box::new(FileSink::text("hdfs://nn/numbers")),
        || Box::new(FileSink::table("s3://bucket/numbers", TextLines)),
        || Box::new(FileSink::json_lines("file:///numbers")),
    ];
    let told = ["the scheme \"hdfs\" is not supported", "the scheme \"s3\" is not supported", "write \"/numbers\""];
    for (sink, told) in sinks.into_iter().zip(told) {
        let application = Application::new(sink);
        let (files, ended) = application.live(None, 1);
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(files.steps(), 0, "{error}");
    }
}

#[test]
fn a_ledger_that_is_damaged_is_named() {
    let application = application();
    application.live(None, 1).1.unwrap();
    let files = application.disk.process(None);
    let hidden = format!("out/_headwater/{}", files.list("out/_headwater").unwrap()[0].name);
    files.create(&format!("{hidden}/ledger")).unwrap().write_all(b"{").unwrap();
    let error = application.live(None, 1).1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("/ledger, which says what was committed, is damaged: remove it if"), "{error}");
}
