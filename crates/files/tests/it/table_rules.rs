//! The rules of sinks, kept by tables in each format on a real disk; sizes of files and of the manifest over many batches.

use crate::readers::names;
use headwater::env::Env;
use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::testkit::{SinkTest, TemporaryFolder, TestEnv, temporary_folder};
use headwater::{Error, ErrorKind, Record, Result, prelude::*, system_env};
use headwater_files::formats::{Csv, JsonLines, ObjectFiles, SequenceFileOutputFormat, TextLines};
use headwater_files::sequence_file::{Codec, Compression};
use headwater_files::{FileSink, TableFormat, TableReader};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

fn read<T: 'static, F: TableFormat<T>>(folder: &str, format: F) -> Result<Vec<T>> {
    TableReader::open(system_env().files, folder, format)?.records().collect()
}
/// With and without merges.
fn keeps_the_rules<T: Record + Debug, F: TableFormat<T> + Clone>(format: F, record: fn(u64) -> T) {
    for is_merged in [false, true] {
        let (of_sink, of_reader) = (format.clone(), format.clone());
        let sink = move |folder: &TemporaryFolder| {
            let sink = FileSink::table(format!("{folder}/table"), of_sink.clone()).suffix("x").roll_bytes(60);
            if is_merged { sink.compact(200) } else { sink }
        };
        let read = move |folder: &TemporaryFolder| read(&format!("{folder}/table"), of_reader.clone());
        SinkTest::new(temporary_folder, sink, record, read).tells_its_newest().run();
    }
}
#[derive(Clone, Serialize, Deserialize, Debug)]
struct Order {
    name: String,
    other: String,
}

#[test]
fn every_format_keeps_the_rules() {
    let order = |n: u64| Order { name: format!("order {n}, \"new\"\n"), other: n.to_string() };
    keeps_the_rules(TextLines, |n| n);
    keeps_the_rules(JsonLines, order);
    keeps_the_rules(Csv::new(), order);
    keeps_the_rules(Csv::new(), |n| (n, n.to_string()));
    keeps_the_rules(Csv::without_header(), order);
    keeps_the_rules(ObjectFiles, order);
    keeps_the_rules(SequenceFileOutputFormat::default(), |n| (n as i64, n.to_string()));
    let compression = Compression::Block(Codec::Default);
    keeps_the_rules(SequenceFileOutputFormat { compression }, |n| (n as i64, n.to_string()));
}

/// Commits batches of one number each, each to a new file.
fn commit(env: &Env, sink: &impl Sink<u64>, batches: std::ops::RangeInclusive<u64>) {
    let output = SinkOutput { application: "app", operator: "out", committed: None, env };
    sink.recover(&output).unwrap();
    for batch in batches {
        let time = Time::from_millis(1000 * batch as i64);
        let part = SinkPart::new("out", time, (0, 0), env);
        let part = sink.prepare(&part, vec![batch].into_iter()).unwrap();
        sink.commit(&SinkBatch { output, time }, &[part]).unwrap();
    }
}

#[test]
fn neither_files_nor_metadata_grow_with_the_number_of_batches() {
    let (env, folder) = (system_env(), temporary_folder());
    let table = format!("{folder}/table");
    let sink = || FileSink::table(&table, TextLines).compact(1 << 20);
    for life in 0..6 {
        commit(&env, &sink(), life * 60 + 1..=life * 60 + 60);
    }
    let hidden = format!("{table}/_headwater");
    let manifest = names(&format!("{hidden}/{}/manifest", names(&hidden)[0]));
    assert!(manifest.len() <= 66, "{manifest:?}");
    assert_eq!(manifest.iter().filter(|name| name.ends_with(".snapshot")).count(), 2);
    let files = names(&table).len() - 1;
    assert!(files < 64 + 360 / 64, "{files}");
    let mut numbers = read::<u64, _>(&table, TextLines).unwrap();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=360));
}

#[test]
fn a_file_that_was_merged_since_the_table_was_opened_is_an_error_that_says_so() {
    let (env, folder) = (system_env(), temporary_folder());
    let sink = FileSink::table(&*folder, TextLines).compact(6);
    commit(&env, &sink, 1..=2);
    let reader = TableReader::open(env.files.clone(), &folder, TextLines).unwrap();
    commit(&env, &sink, 1..=4);
    let error = reader.records::<u64>().collect::<Result<Vec<_>>>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outside);
    assert!(error.to_string().ends_with("was merged with others since the table was opened: open it again"), "{error}");
    let mut again = read::<u64, _>(&folder, TextLines).unwrap();
    again.sort_unstable();
    assert_eq!(again, [1, 2, 3, 4]);
}

#[test]
fn a_file_that_somebody_has_removed_is_an_error_that_says_what_it_had() {
    let (env, folder) = (system_env(), temporary_folder());
    commit(&env, &FileSink::table(&*folder, TextLines), 1..=3);
    let reader = TableReader::open(env.files.clone(), &folder, TextLines).unwrap();
    let gone = reader.files()[1].path.clone();
    env.files.remove_file(&gone).unwrap();
    for reader in [reader, TableReader::open(env.files.clone(), &folder, TextLines).unwrap()] {
        let error = reader.records::<u64>().collect::<Result<Vec<_>>>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        let told = format!(
            "{gone} is missing, which the table's manifest lists with 1 record in 2 bytes of the batch of 2000 ms"
        );
        assert!(error.to_string().starts_with(&told), "{error}");
    }
}

#[test]
fn a_file_that_is_missing_when_small_ones_are_merged_is_told_once_and_the_others_are_merged() {
    let (test_env, folder) = (TestEnv::new(), temporary_folder());
    let env = Env { files: system_env().files, ..test_env.env() };
    commit(&env, &FileSink::table(&*folder, TextLines), 1..=5);
    let path = |at: usize| TableReader::open(env.files.clone(), &folder, TextLines).unwrap().files()[at].path.clone();
    env.files.remove_file(&path(1)).unwrap();
    // Each has two bytes.
    commit(&env, &FileSink::table(&*folder, TextLines).compact(6), 6..=9);
    let warnings = test_env.warnings();
    let missing: Vec<_> = warnings.iter().filter(|warning| warning.contains("is missing")).collect();
    assert_eq!(missing.len(), 1, "{warnings:?}");
    assert!(missing[0].contains("batch of 2000 ms") && missing[0].ends_with("without it"), "{warnings:?}");
    assert!(!warnings.iter().any(|warning| warning.contains("merged later")), "{warnings:?}");
    assert!(names(&folder).len() < 6, "{:?}", names(&folder));
    // A merged file has the batches of all that are in it.
    env.files.remove_file(&path(0)).unwrap();
    let error = read::<u64, _>(&folder, TextLines).unwrap_err().to_string();
    assert!(error.contains("3 records in 6 bytes of the batches from 1000 to 4000 ms"), "{error}");
}

#[test]
fn an_output_that_has_written_in_one_format_does_not_begin_in_another() {
    let (env, folder) = (system_env(), temporary_folder());
    let output = SinkOutput { application: "app", operator: "out", committed: None, env: &env };
    let begin = |format: Csv| Sink::<u64>::recover(&FileSink::table(&*folder, format), &output);
    // Nothing is written before.
    begin(Csv::new()).unwrap();
    commit(&env, &FileSink::table(&*folder, JsonLines), 1..=40);
    let error = begin(Csv::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    let told = "has files of the output \"out\" in the format \"lines of JSON\", and it is to write \"CSV\" now";
    assert!(error.to_string().contains(told), "{error}");
    commit(&env, &FileSink::table(&*folder, JsonLines), 41..=41);
    assert!(read::<u64, _>(&folder, JsonLines).unwrap().into_iter().eq(1..=41));
}

#[test]
fn a_manifest_that_is_damaged_or_has_a_gap_is_named() {
    let (env, folder) = (system_env(), temporary_folder());
    commit(&env, &FileSink::table(&*folder, TextLines), 1..=3);
    let hidden = format!("{folder}/_headwater/{}/manifest", names(&format!("{folder}/_headwater"))[0]);
    let message = || -> Error { read::<u64, _>(&folder, TextLines).unwrap_err() };
    let event = |number: u64| format!("{hidden}/{number:020}.event");
    std::io::Write::write_all(&mut env.files.create(&event(3)).unwrap(), b"{").unwrap();
    assert!(message().to_string().contains("000003.event, which says what files a table has, is damaged"));
    env.files.remove_file(&event(2)).unwrap();
    let error = message();
    assert!(
        error.kind() == ErrorKind::Data && error.to_string().contains("000002.event is missing, and later ones"),
        "{error}"
    );
}

#[test]
fn a_folder_that_is_no_table_has_no_files() {
    let folder = temporary_folder();
    assert!(TableReader::open(system_env().files, &format!("{folder}/none"), TextLines).unwrap().files().is_empty());
    // Another sink's hidden folder is no manifest.
    let output = SinkOutput { application: "app", operator: "out", committed: None, env: &system_env() };
    Sink::<u64>::recover(&FileSink::text(format!("{folder}/numbers")), &output).unwrap();
    assert!(TableReader::open(system_env().files, &folder, TextLines).unwrap().files().is_empty());
    let error = TableReader::open(system_env().files, "hdfs://nn/table", TextLines).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Program);
    let error = Sink::<u64>::recover(&FileSink::table("", TextLines), &output).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
}
