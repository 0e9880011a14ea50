//! The rules of sinks, kept by each format of [`FileSink`] on a real disk; and whole programs that write with it.

use crate::readers::{batches, names, records_of_lines};
use headwater::sink::{Sink, SinkPart};
use headwater::testkit::{self, SinkTest, TemporaryFolder, TestEnv, temporary_folder};
use headwater::{ErrorKind, prelude::*};
use headwater_files::formats::{Csv, JsonLines};
use headwater_files::sequence_file::{Codec, Compression, Reader, ReaderOptions};
use headwater_files::{FileSink, TableReader};
use headwater_storage::MemoryStorage;
use serde::{Deserialize, Serialize};

fn prefix(folder: &TemporaryFolder) -> String {
    format!("{folder}/out/numbers")
}

#[test]
fn lines_of_text_keep_the_rules() {
    let sink = |folder: &TemporaryFolder| FileSink::text(prefix(folder)).suffix("txt");
    let read = |folder: &TemporaryFolder| records_of_lines(&prefix(folder), |line| line.parse().unwrap());
    SinkTest::new(temporary_folder, sink, |n| n, read).tells_its_newest().run();
}

#[test]
fn lines_of_json_keep_the_rules_with_and_without_empty_batches() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Order {
        number: u64,
        name: String,
    }
    let order = |number| Order { number, name: format!("line {number}\n") };
    let read = |folder: &TemporaryFolder| records_of_lines(&prefix(folder), |line| serde_json::from_str(line).unwrap());
    SinkTest::new(temporary_folder, |folder| FileSink::json_lines(prefix(folder)), order, read)
        .tells_its_newest()
        .run();
    let sink = |folder: &TemporaryFolder| FileSink::json_lines(prefix(folder)).skip_empty_batches();
    SinkTest::new(temporary_folder, sink, order, read).tells_its_newest().run();
}

#[test]
fn comma_separated_values_keep_the_rules() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Order {
        number: u64,
        name: String,
    }
    let order = |number| Order { number, name: format!("line {number}, of \"many\"") };
    let read = |has_header| {
        move |folder: &TemporaryFolder| {
            let files = batches(&prefix(folder)).into_values().flatten();
            let read = |bytes: Vec<u8>| {
                let mut reader = csv::ReaderBuilder::new().has_headers(has_header).from_reader(&bytes[..]);
                reader.deserialize().map(std::result::Result::unwrap).collect::<Vec<Order>>()
            };
            Ok(files.flat_map(|(_, bytes)| read(bytes)).collect())
        }
    };
    SinkTest::new(temporary_folder, |folder| FileSink::csv(prefix(folder)).suffix("csv"), order, read(true))
        .tells_its_newest()
        .run();
    let without = |folder: &TemporaryFolder| FileSink::csv(prefix(folder)).without_header();
    SinkTest::new(temporary_folder, without, order, read(false)).tells_its_newest().run();
}

#[test]
fn object_files_keep_the_rules() {
    let read = |folder: &TemporaryFolder| {
        let pattern = format!("{}-*", prefix(folder));
        if batches(&prefix(folder)).is_empty() {
            return Ok(Vec::new());
        }
        testkit::context().object_file::<(u64, String)>(&pattern)?.collect()
    };
    let record = |n: u64| (n, n.to_string());
    SinkTest::new(temporary_folder, |folder| FileSink::object_files(prefix(folder)), record, read)
        .tells_its_newest()
        .run();
}

#[test]
fn sequence_files_keep_the_rules() {
    let read = |folder: &TemporaryFolder| {
        let files = batches(&prefix(folder)).into_values().flatten();
        let open = |(path, bytes): (String, Vec<u8>)| {
            Reader::<i64, String, _>::new(std::io::Cursor::new(bytes), &path, ReaderOptions::new()).unwrap()
        };
        files.flat_map(open).collect()
    };
    for compression in [Compression::None, Compression::Block(Codec::Default)] {
        let sink = move |folder: &TemporaryFolder| FileSink::sequence_files(prefix(folder), compression);
        SinkTest::new(temporary_folder, sink, |n| (n as i64, n.to_string()), read).tells_its_newest().run();
    }
}

#[test]
fn a_program_that_goes_on_behind_a_stop_writes_each_batch_once() {
    let (env, folder) = (TestEnv::in_memory(), temporary_folder());
    let live = |batches: u64| {
        let conf = Conf::new().master("local[2]").checkpoint_dir("run");
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
        ssc.rate_stream(4, 2, |n| n).write_to(FileSink::text(prefix(&folder))).uid("numbers");
        let running = ssc.start().unwrap();
        env.clock.advance(seconds(2));
        running.await_batches(batches).unwrap();
        running.stop_gracefully().unwrap();
    };
    live(2);
    live(2);
    let batches = batches(&prefix(&folder));
    assert_eq!(batches.keys().copied().collect::<Vec<_>>(), [1000, 2000, 3000, 4000]);
    let mut numbers = records_of_lines(&prefix(&folder), |line| line.parse::<u64>().unwrap()).unwrap();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..16).collect::<Vec<_>>());
    // Nothing is left but the ledger, and the door of a process that might still run.
    let hidden = format!("{folder}/out/_headwater");
    let hidden = format!("{hidden}/{}", names(&hidden)[0]);
    assert_eq!(names(&hidden), ["ledger", "prepared", "runs"]);
    assert_eq!((names(&format!("{hidden}/prepared")).len(), names(&format!("{hidden}/runs")).len()), (0, 1));
}

#[test]
fn a_program_without_a_checkpoint_folder_does_not_take_an_older_ones_batches_for_its_own() {
    let folder = temporary_folder();
    let live = |name: &str| {
        let env = TestEnv::in_memory();
        let ssc =
            StreamingContext::with_env(Conf::new().master("local[1]").app_name(name), seconds(1), env.env()).unwrap();
        ssc.rate_stream(1, 1, |n| n).write_to(FileSink::text(prefix(&folder))).uid("numbers");
        let running = ssc.start().unwrap();
        env.clock.advance(seconds(1));
        let ended = running.await_batches(1);
        let _told = running.stop();
        ended
    };
    live("one").unwrap();
    let error = live("other").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    let error = error.to_string();
    assert!(error.contains("out/numbers-1000 is there already, and was written by the output numbers of "), "{error}");
}

/// A number that JSON does not take where it is 2.
#[derive(Clone, Serialize, Deserialize)]
struct NotTwo {
    #[serde(serialize_with = "not_two")]
    number: u64,
}
fn not_two<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match serializer.is_human_readable() && *number == 2 {
        true => Err(serde::ser::Error::custom("two is none of the numbers")),
        false => serializer.serialize_u64(*number),
    }
}

#[test]
fn a_record_that_the_format_refuses_is_set_aside_and_the_rest_is_written() {
    let (folder, (ssc, clock)) = (temporary_folder(), testkit::streaming_context());
    let numbers = ssc.rate_stream(4, 1, |number| NotTwo { number });
    numbers.set_aside().write_to(FileSink::json_lines(format!("{folder}/out/lines"))).uid("lines");
    let table = FileSink::table(format!("{folder}/table"), JsonLines);
    numbers.set_aside().write_to(table).uid("table");
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let number = |line: &str| serde_json::from_str::<NotTwo>(line).unwrap().number;
    assert_eq!(records_of_lines(&format!("{folder}/out/lines"), number).unwrap(), [0, 1, 3]);
    let table = TableReader::open(headwater::system_env().files, &format!("{folder}/table"), JsonLines).unwrap();
    let numbers = table.records::<NotTwo>().map(|record| record.unwrap().number);
    assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 3]);
    let letters = running.dead_letters().unwrap();
    let mut told: Vec<&str> = letters.iter().map(|letter| letter.operator.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["lines", "table"]);
    for letter in &letters {
        assert_eq!((letter.letter.index, letter.record::<NotTwo>().unwrap().number), (2, 2));
        assert!(letter.letter.error.contains("two is none of the numbers"), "{}", letter.letter.error);
    }
}

#[test]
fn a_record_that_a_format_refuses_is_named_by_its_position() {
    let (env, folder) = (headwater::system_env(), temporary_folder());
    let part = SinkPart::new("out", Time::from_millis(1000), (0, 0), &env);
    let rows = || [vec![1, 2], vec![3, 4], vec![5]].into_iter();
    let of_rows: [&dyn Sink<Vec<u64>>; 2] =
        [&FileSink::csv(format!("{folder}/rows")), &FileSink::table(format!("{folder}/table"), Csv::new())];
    let errors = of_rows.into_iter().map(|sink| sink.prepare(&part, Vec::from_iter(rows()).into_iter()).unwrap_err());
    let lines = FileSink::json_lines(format!("{folder}/lines"));
    let refused = lines.prepare(&part, Vec::from_iter((0..4).map(|number| NotTwo { number })).into_iter()).unwrap_err();
    for error in errors.chain([refused]) {
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(
            error.to_string().starts_with("record 2 of its partition, counted from 0: a record of type "),
            "{error}"
        );
    }
}

#[test]
fn a_program_whose_last_batch_was_set_aside_as_a_whole_goes_on() {
    let (env, folder) = (TestEnv::in_memory(), temporary_folder());
    let live = |batches: u64| {
        let conf = Conf::new().master("local[1]").checkpoint_dir("run");
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
        // Of the second batch one row is longer than the others.
        let rows = ssc.rate_stream(2, 1, |n| if n == 3 { vec![n, n] } else { vec![n] });
        rows.set_aside().write_to(FileSink::csv(prefix(&folder))).uid("rows");
        let running = ssc.start().unwrap();
        env.clock.advance(seconds(2));
        running.await_batches(batches).unwrap();
        running.stop_gracefully().unwrap();
    };
    live(2);
    live(2);
    assert_eq!(batches(&prefix(&folder)).keys().copied().collect::<Vec<_>>(), [1000, 3000, 4000]);
}

#[test]
fn a_checkpoint_folder_that_is_older_than_what_is_written_is_told() {
    for is_table in [false, true] {
        let (folder, storage, env) = (temporary_folder(), MemoryStorage::new(), TestEnv::new());
        let live = |storage: &MemoryStorage| -> headwater::Result<()> {
            let env = env.clone().with_storage(std::sync::Arc::new(storage.clone()));
            let conf = Conf::new().master("local[2]").checkpoint_dir("run");
            let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
            let numbers = ssc.rate_stream(2, 1, |n| n).uid("numbers");
            match is_table {
                true => numbers.write_to(FileSink::table(format!("{folder}/table"), JsonLines)).uid("out"),
                false => numbers.write_to(FileSink::json_lines(format!("{folder}/out/numbers"))).uid("out"),
            };
            let running = ssc.start()?;
            env.clock.advance(seconds(2));
            running.await_batches(2)?;
            running.stop_gracefully()
        };
        live(&storage).unwrap();
        let older = storage.copy();
        live(&storage).unwrap();
        let told = live(&older).unwrap_err().to_string();
        assert!(
            told.contains(
                "it has batch 4000 ms of this output, and the checkpoint folder knows of none behind 2000 ms"
            ),
            "{told}"
        );
    }
}

/// Nobody starts such a program again for a long time, and each of its batches would leave some.
#[test]
fn a_batch_that_fails_leaves_nothing_of_its_other_partitions() {
    let (folder, (ssc, clock)) = (temporary_folder(), testkit::streaming_context());
    let numbers = testkit::test_input(&ssc, vec![Some(vec![1u64, 2])], 2);
    let fails = numbers.map(|n| if n == 2 { panic!("two") } else { n });
    fails.write_to(FileSink::text(format!("{folder}/out/numbers"))).uid("folders");
    fails.write_to(FileSink::table(format!("{folder}/table"), JsonLines)).uid("table");
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    while running.await_batches(1).is_err() {}
    for place in ["out", "table"] {
        let hidden = format!("{folder}/{place}/_headwater");
        let outputs = names(&hidden);
        assert_eq!(outputs.len(), 1);
        let prepared = format!("{hidden}/{}/prepared", outputs[0]);
        let left = if headwater::system_env().files.exists(&prepared).unwrap() { names(&prepared) } else { Vec::new() };
        assert!(left.is_empty(), "{left:?}");
    }
}
