//! Text files in and out.

use headwater::prelude::*;
use headwater::testkit::{self, temporary_folder};

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
    let error = ssc.context().text_file(&folder, 1).err().unwrap().to_string();
    assert!(error.contains("is a folder"), "{error}");
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
