//! Files in and out: which files a path means, lines, whole files, binary records, and records as they are.

use crate::disk::{Disk, Fault};
use headwater::env::Env;
use headwater::hash::HashSeed;
use headwater::local::LocalEngine;
use headwater::prelude::*;
use headwater::testkit::{self, TemporaryFolder, TestEnv, temporary_folder};
use headwater::{Data, ErrorKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// However a file is cut into splits, its lines come once each and in order.
#[test]
fn every_cut_of_a_file_gives_the_same_lines() {
    let context = testkit::context();
    let folder = temporary_folder();
    let texts = ["", "\n", "\n\n\n", "one", "one\n", "one\ntwo", "one\r\ntwo\r\n", "a\n\nbb\n\nccc\n", "é→é\nü\n"];
    for (number, text) in texts.into_iter().enumerate() {
        let path = format!("{folder}/{number}");
        std::fs::write(&path, text).unwrap();
        let expected: Vec<String> = text.lines().map(String::from).collect();
        for partitions in 1..=text.len() + 2 {
            let lines = context.text_file(&path, partitions).unwrap();
            assert_eq!(lines.collect().unwrap(), expected, "{text:?} in {partitions} partitions");
        }
    }
}

#[test]
fn a_file_of_several_blocks_and_splits() {
    let context = testkit::context();
    let folder = temporary_folder();
    let line = |n: usize| format!("{n} {}", "x".repeat(n % 300));
    let text: String = (0..150_000).map(|n| line(n) + "\n").collect();
    assert!(text.len() > 20 << 20);
    let path = format!("{folder}/big");
    std::fs::write(&path, &text).unwrap();
    for partitions in [1, 3] {
        let lines = context.text_file(&path, partitions).unwrap();
        let numbers = lines.map(|line| (line.split_once(" ").unwrap().0.parse().unwrap(), line.len()));
        let expected: Vec<(usize, usize)> = (0..150_000).map(|n| (n, line(n).len())).collect();
        assert!(numbers.collect().unwrap() == expected);
    }
}

#[test]
fn what_is_not_text_is_mended_and_what_is_not_there_is_an_error() {
    let env = testkit::TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let folder = temporary_folder();
    let path = format!("{folder}/bytes");
    std::fs::write(&path, b"good\nb\xffd\ngood\n").unwrap();
    assert_eq!(ssc.context().text_file(&path, 1).unwrap().collect().unwrap(), ["good", "b\u{fffd}d", "good"]);
    assert!(env.warnings()[0].contains("file ") && env.warnings()[0].contains("U+FFFD"), "{:?}", env.warnings());

    std::fs::write(&path, [vec![b'x'; 5 << 20], b"\nshort\n".to_vec()].concat()).unwrap();
    assert_eq!(ssc.context().text_file(&path, 1).unwrap().collect().unwrap(), ["short"]);
    assert!(env.warnings()[1].contains("a line of 5242880 bytes was thrown away"), "{:?}", env.warnings());

    let error = ssc.context().text_file("no/such/file", 1).err().unwrap().to_string();
    assert!(error.contains("no/such/file"), "{error}");
}

#[test]
fn a_file_that_vanishes_fails_the_job_by_name() {
    let context = testkit::context();
    let folder = temporary_folder();
    let path = format!("{folder}/gone");
    std::fs::write(&path, "text\n").unwrap();
    let lines = context.text_file(&path, 1).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = lines.count().unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains(&path), "{error}");
}

#[test]
fn a_folder_a_batch_also_for_an_empty_one() {
    let folder = temporary_folder();
    let prefix = format!("{folder}/out");
    testkit::printed([vec![1, 2, 3], vec![]], |numbers| numbers.save_as_text_files(&prefix, ""));
    let read = |file: &str| std::fs::read_to_string(format!("{prefix}-{file}")).unwrap();
    assert_eq!((read("1000/part-00000"), read("1000/part-00001")), ("1\n".into(), "2\n3\n".into()));
    assert_eq!((read("2000/part-00000"), read("2000/part-00001")), (String::new(), String::new()));
    let mut names: Vec<_> =
        std::fs::read_dir(format!("{prefix}-1000")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["_SUCCESS", "part-00000", "part-00001"]);
}

#[test]
fn a_folder_that_cannot_be_made_fails_the_job_by_name() {
    let (ssc, clock) = testkit::streaming_context();
    let folder = temporary_folder();
    std::fs::write(format!("{folder}/file"), "").unwrap();
    let numbers = testkit::test_input(&ssc, vec![Some(vec![1])], 1);
    numbers.save_as_text_files(&format!("{folder}/file/out"), "");
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("file/out-1000"), "{error}");
}

/// A folder with these files, each holding its own name as a line.
fn folder_of(names: &[&str]) -> TemporaryFolder {
    let folder = temporary_folder();
    for name in names {
        let path = std::path::Path::new(&*folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{name}\n")).unwrap();
    }
    folder
}

#[test]
fn a_path_means_a_file_a_folder_a_pattern_or_a_list() {
    let names = [
        "a.log",
        "b.log",
        "b.log.gz",
        ".hidden",
        "_SUCCESS",
        "d1/x",
        "d1/y.log",
        "d2/x",
        "d2/_temporary/part",
        "_d3/x",
        "odd[1]/x,y",
        "odd*/z",
        "very/deep/x",
    ];
    let folder = folder_of(&names);
    let context = testkit::context();
    let cases: [(&str, &[&str]); 22] = [
        ("a.log", &["a.log"]),
        ("*.log", &["a.log", "b.log"]),
        ("?.log", &["a.log", "b.log"]),
        ("[b-z].log", &["b.log"]),
        ("[^b].log", &["a.log"]),
        ("{b,a}.log", &["a.log", "b.log"]),
        ("{d1/x,a.log,none,[n]one}", &["a.log", "d1/x"]),
        ("{a,?}.log", &["a.log", "b.log"]),
        ("d1", &["d1/x", "d1/y.log"]),
        ("d1/", &["d1/x", "d1/y.log"]),
        ("d2", &["d2/x"]),
        ("d*", &["d1/x", "d1/y.log", "d2/x"]),
        ("d*/x", &["d1/x", "d2/x"]),
        ("*/x", &["d1/x", "d2/x"]),
        ("_d*/x", &["_d3/x"]),
        ("_d3", &["_d3/x"]),
        ("_SUCCESS", &["_SUCCESS"]),
        ("*/*.log", &["d1/y.log"]),
        ("odd[1]/x,y", &["odd[1]/x,y"]),
        ("odd\\*/*", &["odd*/z"]),
        ("odd\\[1]/*", &["odd[1]/x,y"]),
        ("very/*/[x]", &["very/deep/x"]),
    ];
    for (path, expected) in cases {
        let lines = context.text_file(&format!("{folder}/{path}"), 1).unwrap();
        assert_eq!(lines.collect().unwrap(), expected, "{path}");
        assert_eq!(lines.num_partitions(), expected.len(), "a split for each file of {path}");
    }
    let many = vec![format!("{folder}/a.log"); 1000].join(",");
    assert_eq!(context.text_file(&many, 1).unwrap().count().unwrap(), 1000, "longer than a name may be");
    let list = format!("{folder}/d2,{folder}/{{a,b}}.log,{folder}/d2/x");
    assert_eq!(context.text_file(&list, 1).unwrap().collect().unwrap(), ["d2/x", "a.log", "b.log", "d2/x"]);
    // From where the program runs, which is the crate's folder.
    let manifest = context.text_file("Cargo.t[o]ml", 1).unwrap();
    assert_eq!(manifest.take(1).unwrap(), ["[package]"]);
    let empty = temporary_folder();
    assert_eq!(context.text_file(&empty, 3).unwrap().count().unwrap(), 0);
}

#[test]
fn what_a_path_does_not_mean_is_named() {
    let folder = folder_of(&["a.log", "d/e/x"]);
    let context = testkit::context();
    let error = |path: &str| {
        let error = context.text_file(path, 1).err().unwrap_or_else(|| panic!("{path} must be refused"));
        assert_eq!(error.kind(), ErrorKind::Program);
        error.to_string()
    };
    let of = |name: &str| format!("{folder}/{name}");
    assert_eq!(error(&of("none")), format!("input path does not exist: {folder}/none"));
    assert_eq!(error(&of("*.txt")), format!("input pattern {folder}/*.txt matches 0 files"));
    assert_eq!(error(&of("a.log/*")), format!("input pattern {folder}/a.log/* matches 0 files"));
    assert_eq!(error(&of("a.log/x")), format!("input path does not exist: {folder}/a.log/x"));
    assert_eq!(error(&of("none/*")), format!("input pattern {folder}/none/* matches 0 files"));
    assert_eq!(error(&format!("{folder}/a.log,{folder}/none")), format!("input path does not exist: {folder}/none"));
    assert!(error(&of("{a,b")).contains("a { is not closed"));
    assert!(error(&of("[a")).contains("a [ is not closed"));
    let nested = error(&of("d"));
    assert!(nested.contains("/d/e is a folder, not a file") && nested.ends_with("/d/*"), "{nested}");
    assert_eq!(error(""), "an input path is empty");
    assert_eq!(error(&format!("{folder}/a.log,")), "an input path is empty");
}

#[test]
fn splits_go_to_the_files_by_their_size() {
    let context = testkit::context();
    let folder = temporary_folder();
    let line = |n: usize| format!("line {n:04}\n");
    let sizes = [0, 100, 1000, 1];
    let mut expected = Vec::new();
    for (file, lines) in sizes.into_iter().enumerate() {
        std::fs::write(format!("{folder}/{file}"), (0..lines).map(line).collect::<String>()).unwrap();
        expected.extend((0..lines).map(|n| line(n).trim_end().to_owned()));
    }
    for min_partitions in [0, 1, 4, 10, 50] {
        let lines = context.text_file(&folder, min_partitions).unwrap();
        assert!((min_partitions..=min_partitions + 4).contains(&lines.num_partitions()));
        assert_eq!(lines.collect().unwrap(), expected);
    }
    let lines = context.text_file(&folder, 11).unwrap().glom().map(|split| split.len()).collect().unwrap();
    assert_eq!(lines, [0, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 1]);
    let error = context.text_file(&format!("{folder}/2"), usize::MAX).map(|lines| lines.num_partitions());
    assert_eq!(error.unwrap(), 10_000, "a split has a byte");
}

#[test]
fn whole_files() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let context = ssc.context();
    let folder = temporary_folder();
    let write = |name: &str, bytes: &[u8]| std::fs::write(format!("{folder}/{name}"), bytes).unwrap();
    let long = "a long line → of text\n".repeat(200_000);
    write("a", b"");
    write("b", long.as_bytes());
    write("c", b"one\r\ntwo");
    for (min_partitions, expected) in [(0, 1), (1, 1), (2, 2), (3, 2), (100, 2)] {
        let files = context.whole_text_files(&folder, min_partitions).unwrap();
        assert_eq!(files.num_partitions(), expected, "of at least {min_partitions}");
        let contents = files.map(|(path, content)| (path.rsplit('/').next().unwrap().to_owned(), content));
        assert!(
            contents.collect().unwrap()
                == [("a".into(), "".into()), ("b".into(), long.as_str().into()), ("c".into(), "one\r\ntwo".into())]
        );
    }
    assert_eq!(env.warnings(), [""; 0]);
    write("d", b"b\xffd");
    let bad = context.whole_text_files(&format!("{folder}/d"), 1).unwrap();
    assert_eq!(bad.collect().unwrap()[0].1, "b\u{fffd}d");
    assert!(env.warnings()[0].contains("/d: 1 byte sequences are not UTF-8"), "{:?}", env.warnings());
    let many = context.whole_text_files(&format!("{folder}/{{a,c,d}}"), 3).unwrap();
    assert_eq!(many.glom().map(|files| files.len()).collect().unwrap(), [2, 1]);

    // It takes no room on the disk.
    std::fs::File::create(format!("{folder}/huge")).unwrap().set_len((1 << 30) + 1).unwrap();
    let error = context.whole_text_files(&folder, 1).err().unwrap().to_string();
    assert!(error.contains("/huge has 1073741825 bytes") && error.contains("text_file"), "{error}");
}

#[test]
fn records_of_one_length() {
    let context = testkit::context();
    let folder = temporary_folder();
    let bytes: Vec<u8> = (0..40_000_000u32 / 4).flat_map(u32::to_be_bytes).collect();
    std::fs::write(format!("{folder}/big"), &bytes).unwrap();
    std::fs::write(format!("{folder}/empty"), "").unwrap();
    let records = context.binary_records(&folder, 400).unwrap();
    assert_eq!(records.num_partitions(), 3, "two for 40 MB");
    let firsts = records.map(|record| (record.len(), u32::from_be_bytes(record[..4].try_into().unwrap())));
    assert!(firsts.collect().unwrap().into_iter().eq((0..100_000).map(|n| (400, n * 100))));
    let whole = context.binary_records(&format!("{folder}/big"), 40_000_000).unwrap();
    assert!(whole.collect().unwrap() == [bytes]);
    let error = |path: &str, length| context.binary_records(path, length).err().unwrap().to_string();
    assert!(error(&folder, 0).contains("at least 1 byte"));
    assert!(error(&folder, 7).ends_with("/big has 40000000 bytes, which is no multiple of the record length of 7"));
    assert!(error("no/such", 1).contains("no/such"));
    // A file that shrinks while it is read.
    std::fs::write(format!("{folder}/big"), "abc").unwrap();
    let error = records.count().unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("/big"), "{error}");
}

/// Written and read, in so many partitions.
fn there_and_back<T: Data + PartialEq + std::fmt::Debug>(records: Vec<T>) {
    let (context, folder) = (testkit::context(), temporary_folder());
    for partitions in [1, 3] {
        let path = format!("{folder}/{partitions}");
        context.parallelize(records.clone(), partitions).save_as_object_file(&path).unwrap();
        let read = context.object_file::<T>(&path).unwrap();
        assert_eq!(read.num_partitions(), partitions);
        assert!(read.collect().unwrap() == records);
        assert!(std::path::Path::new(&format!("{path}/_SUCCESS")).exists());
        let error = context.empty_rdd::<T>().save_as_object_file(&path).unwrap_err().to_string();
        assert!(error.contains("exists already"), "{error}");
    }
}

#[test]
fn records_of_any_type_come_back_from_object_files() {
    #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
    enum Event {
        Nothing,
        Click { x: f64, y: Option<i32> },
        Text(Text, Vec<char>),
    }
    there_and_back((0..10_000u64).collect());
    there_and_back(vec![Text::from("short"), Text::from("a text that is not inline"), Text::EMPTY]);
    there_and_back(vec![Event::Nothing, Event::Click { x: -1.5, y: None }, Event::Text("t".into(), vec!['é'])]);
    there_and_back((0..50).map(|n| (n, "x".repeat(n * 1000))).collect());
    there_and_back(vec![BTreeMap::from([(1u8, vec![1u8]), (2, vec![])]); 3]);
    there_and_back(vec![(); 5000]);
    let (context, folder) = (testkit::context(), temporary_folder());
    context.empty_rdd::<u8>().save_as_object_file(&format!("{folder}/none")).unwrap();
    assert_eq!(context.object_file::<u8>(&format!("{folder}/none")).unwrap().num_partitions(), 0);
    assert!(context.object_file::<u8>("no/such").err().unwrap().to_string().contains("does not exist: no/such"));
    assert!(context.empty_rdd::<u8>().save_as_object_file("").unwrap_err().to_string().contains("needs a name"));
}

#[test]
fn object_files_that_are_damaged_or_of_another_type_are_named() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let (context, folder) = (ssc.context(), temporary_folder());
    let path = format!("{folder}/numbers");
    context.parallelize((0..100_000u64).map(|n| n + 1000).collect(), 1).save_as_object_file(&path).unwrap();
    let part = format!("{path}/part-00000");
    let whole = std::fs::read(&part).unwrap();
    let error = |bytes: &[u8]| {
        std::fs::write(&part, bytes).unwrap();
        context.object_file::<u64>(&path).unwrap().count().unwrap_err().to_string()
    };
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 4;
    let damaged = error(&changed);
    assert!(damaged.contains(&part) && damaged.contains("is damaged behind record"), "{damaged}");
    assert!(error(&whole[..whole.len() - 20]).contains("ends early, behind record 100000"));
    assert!(error(b"just some text, no records").contains("is no file of records"));
    assert!(error(b"").contains("ends early"));

    std::fs::write(&part, &whole).unwrap();
    let error = context.object_file::<String>(&path).unwrap().count().unwrap_err().to_string();
    assert!(error.contains(&part) && error.contains("u64") && error.contains("String"), "{error}");
    assert!(env.warnings().len() == 1 && env.warnings()[0].contains("read as alloc::string::String"));
    // The same bytes, the same numbers: a warning.
    assert_eq!(context.object_file::<u32>(&path).unwrap().take(1).unwrap(), [1000]);
    assert_eq!(env.warnings().len(), 2, "{:?}", env.warnings());
}

/// The records of the golden files.
fn golden() -> Vec<(u64, String, Option<f64>)> {
    (0..2100).map(|n| (n * n, format!("record {n}"), (n % 3 == 0).then_some(n as f64 / 7.0))).collect()
}
const GOLDEN: &str = "tests/data/object-file-1";

/// Files that an earlier release wrote. `UPDATE_GOLDEN=1` writes those of this release's format.
#[test]
fn object_files_of_earlier_releases_read() {
    let context = testkit::context();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _fresh = std::fs::remove_dir_all(GOLDEN);
        context.parallelize(golden(), 2).save_as_object_file(GOLDEN).unwrap();
    }
    let read = context.object_file::<(u64, String, Option<f64>)>(GOLDEN).unwrap();
    assert_eq!((read.num_partitions(), read.collect().unwrap() == golden()), (2, true));
    // And what is written today is the same, byte for byte.
    let folder = temporary_folder();
    context.parallelize(golden(), 2).save_as_object_file(&format!("{folder}/today")).unwrap();
    for part in ["part-00000", "part-00001"] {
        let bytes = |folder: &str| std::fs::read(format!("{folder}/{part}")).unwrap();
        assert!(bytes(GOLDEN) == bytes(&format!("{folder}/today")), "the format of {part} has changed");
    }
}

#[test]
fn object_files_a_batch() {
    let folder = temporary_folder();
    let prefix = format!("{folder}/out");
    testkit::printed([vec![1u64, 2, 3], vec![]], |numbers| numbers.save_as_object_files(&prefix, "bin"));
    let read = |name: &str| testkit::context().object_file::<u64>(&format!("{prefix}-{name}.bin")).unwrap();
    assert_eq!(read("1000").collect_partitions().unwrap(), [vec![1], vec![2, 3]]);
    assert_eq!((read("2000").num_partitions(), read("2000").count().unwrap()), (2, 0));
    assert_eq!(testkit::context().object_file::<u64>(&format!("{prefix}-*")).unwrap().count().unwrap(), 3);
    let (ssc, _clock) = testkit::streaming_context();
    testkit::test_input(&ssc, vec![Some(vec![1])], 1).save_as_object_files("a\0b", "");
    assert!(ssc.start().err().unwrap().to_string().contains("save_as_object_files(\"a\\0b\", \"\")"));
}

#[test]
fn what_is_saved_is_durable_before_it_has_its_name_and_a_full_disk_leaves_nothing() {
    let (test, folder) = (TestEnv::new(), temporary_folder());
    let disk = Arc::new(Disk::new(test.env().files));
    let env = Env { files: disk.clone(), ..test.env() };
    let engine = Arc::new(LocalEngine::new(1, &*env.spawner).unwrap());
    let context = headwater::RddContext::new(engine, env, HashSeed::new(1));
    let numbers = context.parallelize(vec![1, 2, 3], 2);
    let expected = |folder: &str| {
        let part = |n: usize| [format!("sync part-0000{n}.0"), format!("rename part-0000{n}")];
        let end = [format!("sync folder {folder}"), "sync _SUCCESS".into(), format!("sync folder {folder}")];
        [part(0).to_vec(), part(1).to_vec(), end.to_vec()].concat()
    };
    numbers.save_as_text_file(&format!("{folder}/text")).unwrap();
    let log = disk.log();
    assert_eq!(log[..7], expected("text"));
    assert!(log.len() == 8 && log[7].starts_with("sync folder headwater-"), "the folder that it lies in: {log:?}");
    numbers.save_as_object_file(&format!("{folder}/objects")).unwrap();
    assert_eq!(disk.log()[8..15], expected("objects"));

    disk.set(Fault::WriteAt(5));
    let many = context.parallelize((0..100_000).collect(), 1);
    for save in [Rdd::<i32>::save_as_text_file, Rdd::<i32>::save_as_object_file] {
        let path = format!("{folder}/full");
        let error = save(&many, &path).unwrap_err().to_string();
        assert!(error.contains("cannot write") && error.contains("no space left"), "{error}");
        assert!(!std::path::Path::new(&path).exists());
    }
}
