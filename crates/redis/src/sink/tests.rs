//! What tasks make of records, without a server.

use super::part::read;
use super::*;
use headwater::testkit::TestEnv;
use headwater_core::ErrorKind;
use headwater_core::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

fn part<T: Record>(sink: &RedisSink<T>, records: Vec<T>) -> Result<Vec<u8>> {
    let env = TestEnv::new().env();
    let part = SinkPart::new("out", Time::from_millis(1000), (0, 0), &env);
    sink.prepare(&part, records.into_iter())
}

/// Each group as (number of writes, its arguments without lengths and line ends).
fn groups(part: &[u8]) -> Vec<(usize, String)> {
    let mut groups = Vec::new();
    for group in read(part, &mut BTreeMap::new()).unwrap() {
        let text = String::from_utf8(group.args.to_vec()).unwrap();
        let strings: Vec<&str> = text.split("\r\n").skip(1).step_by(2).collect();
        assert_eq!(strings.len(), group.args_count);
        groups.push((group.keys_count, strings.join(" ")));
    }
    groups
}

fn server() -> RedisSinkBuilder {
    RedisSink::new("redis://:secret@localhost")
}

#[test]
fn fields_of_a_hash_are_one_command() {
    let sink = server().hash("counts", |(word, n): (&'static str, u64)| (word, n));
    assert_eq!(groups(&part(&sink, vec![("a", 1), ("b", 2)]).unwrap()), [(1, "HSET 4 a 1 b 2".to_owned())]);
    assert_eq!(groups(&part(&sink, vec![]).unwrap()), []);
}

#[test]
fn a_command_and_a_call_have_a_bounded_number_of_arguments() {
    let hash = server().hash("counts", |n: u64| (n, n));
    let commands = groups(&part(&hash, (0..2500).collect()).unwrap());
    assert_eq!(commands.iter().map(|(writes, _)| writes).sum::<usize>(), 3);
    assert!(commands[0].1.starts_with("HSET 2000 0 0"));
    let strings = server().strings(|n: u64| (n, n));
    let calls: Vec<_> = groups(&part(&strings, (0..1000).collect()).unwrap()).iter().map(|group| group.0).collect();
    assert_eq!(calls, [512, 488]);
    let large = server().strings(|n: u64| (n, vec![b'x'; 40_000]));
    let calls: Vec<_> = groups(&part(&large, (0..5).collect()).unwrap()).iter().map(|group| group.0).collect();
    assert_eq!(calls, [2, 2, 1]);
}

#[test]
fn strings_expire_and_streams_are_bounded() {
    let sink = server().expiring_strings(Duration::from_secs(2), |n: u64| (n, "v"));
    assert_eq!(groups(&part(&sink, vec![7]).unwrap()), [(1, "SET 3 v PX 2000".to_owned())]);
    let sink = server().stream("events", MaxLen::about(9), |n: u64| [("n", n)]);
    assert_eq!(groups(&part(&sink, vec![7, 8]).unwrap())[0].1, "XADD 6 MAXLEN ~ 9 * n 7 XADD 6 MAXLEN ~ 9 * n 8");
    let sink = server().stream("events", MaxLen::unlimited(), |n: u64| [("n", n)]);
    assert_eq!(groups(&part(&sink, vec![7]).unwrap())[0].1, "XADD 3 * n 7");
}

#[test]
fn an_entry_without_fields_or_with_too_many_is_the_data_s_error() {
    let sink = server().stream("events", MaxLen::unlimited(), |n: u64| (0..n).map(|n| (n, n)));
    for fields in [0, 1200] {
        let error = part(&sink, vec![1, fields]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(
            error.to_string().starts_with(&format!("an entry of the stream \"events\" has {fields} fields")),
            "{error}"
        );
    }
}

#[test]
fn a_key_is_not_written_as_two_types_in_one_batch() {
    let sink = server().writes(|n: u64| match n {
        0 => [RedisWrite::string("k", n)],
        1 => [RedisWrite::hash("k", n, n)],
        n => [RedisWrite::stream("s", [(n, n)])],
    });
    let error = part(&sink, vec![0, 2, 1]).unwrap_err();
    assert_eq!(error.to_string(), "key \"k\" is written as a string and as a hash in one batch: a key has one type");
    // In two partitions it is the commit that finds it.
    let parts = [part(&sink, vec![0]).unwrap(), part(&sink, vec![1]).unwrap()];
    let mut keys = BTreeMap::new();
    assert!(read(&parts[0], &mut keys).is_ok());
    assert_eq!(read(&parts[1], &mut keys).map(|_| ()).unwrap_err().kind(), ErrorKind::Data);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_sent() {
    let sink = server().strings(|n: u64| (n, vec![0; 1000])).batch_bytes_max(5000);
    let error = part(&sink, (0..9).collect()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(error.to_string().contains("a batch may have 5000"), "{error}");
    let env = TestEnv::new().env();
    let output = SinkOutput { application: "app", operator: "out", committed: None, env: &env };
    let half = part(&sink, (0..3).collect()).unwrap();
    let batch = SinkBatch { output, time: Time::from_millis(1000) };
    let error = sink.commit(&batch, &[half.clone(), half]).unwrap_err();
    assert!(error.kind() == ErrorKind::Resources && error.to_string().starts_with("a batch comes to"), "{error}");
    let error = sink.batch_bytes_max(1 << 30).recover(&output).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
}

#[test]
fn a_server_that_is_not_there_is_worth_another_try() {
    // Port 1 of the own machine: nobody listens there.
    let sink = RedisSink::new("redis://:secret@127.0.0.1:1").strings(|n: u64| (n, n));
    let env = TestEnv::new().env();
    let output = SinkOutput { application: "app", operator: "out", committed: None, env: &env };
    let error = sink.recover(&output).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outside);
    let shown = format!("{error} {error:?} {sink:?}");
    assert!(shown.contains("redis at 127.0.0.1:1: connecting: ") && !shown.contains("secret"), "{shown}");
}
