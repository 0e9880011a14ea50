//! The rules of sinks, for each kind of write.

use crate::server::Server;
use headwater::testkit::SinkTest;
use headwater_core::{Record, Result};
use headwater_redis::{MaxLen, RedisSink, RedisSinkBuilder, RedisWrite};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

type Pair = (String, u64);

fn pair(number: u64) -> Pair {
    (format!("key {number}"), number)
}

/// Each rule has the server for itself and empty.
fn conforms<T: Record + Debug>(
    sink: impl Fn(RedisSinkBuilder) -> RedisSink<T> + 'static,
    record: impl Fn(u64) -> T + 'static,
    read: impl Fn(&Server) -> Vec<T> + 'static,
) {
    let server = Arc::new(Server::start());
    let target = move || {
        server.ask::<()>("FLUSHALL");
        server.clone()
    };
    let read = move |server: &Arc<Server>| -> Result<Vec<T>> {
        let left_over: Vec<String> = server.ask("KEYS headwater:mark:*");
        assert!(left_over.is_empty(), "{left_over:?}");
        Ok(read(server))
    };
    SinkTest::new(target, move |server| sink(RedisSink::new(server.described())), record, read)
        .tells_its_newest()
        .run();
}

#[test]
#[ignore = "starts a Redis"]
fn a_hash_keeps_the_rules() {
    let read = |server: &Server| server.ask::<HashMap<String, u64>>("HGETALL counts").into_iter().collect();
    conforms(|to| to.hash("counts", |(key, n): Pair| (key, n)), pair, read);
}

/// Strings of these keys.
fn strings(server: &Server) -> Vec<Pair> {
    let keys: Vec<String> = server.ask("KEYS key:*");
    keys.into_iter().map(|key| (key.replace(':', " "), server.ask(&format!("GET {key}")))).collect()
}

#[test]
#[ignore = "starts a Redis"]
fn strings_keep_the_rules() {
    conforms(|to| to.strings(|(key, n): Pair| (key.replace(' ', ":"), n)), pair, strings);
}

#[test]
#[ignore = "starts a Redis"]
fn strings_that_expire_keep_the_rules() {
    let read = |server: &Server| {
        let found = strings(server);
        for (key, _) in &found {
            let left: i64 = server.ask(&format!("PTTL {}", key.replace(' ', ":")));
            assert!((3_000_000..=3_600_000).contains(&left), "{left}");
        }
        found
    };
    conforms(
        |to| to.expiring_strings(Duration::from_secs(3600), |(key, n): Pair| (key.replace(' ', ":"), n)),
        pair,
        read,
    );
}

type Entries = Vec<(String, HashMap<String, String>)>;
pub(crate) fn entries(server: &Server, key: &str) -> Vec<u64> {
    let entries: Entries = server.ask(&format!("XRANGE {key} - +"));
    entries.into_iter().map(|(_, fields)| fields["n"].parse().unwrap()).collect()
}

#[test]
#[ignore = "starts a Redis"]
fn a_stream_keeps_the_rules() {
    let entry = |n: u64| [("n", n), ("square", n * n)];
    conforms(move |to| to.stream("events", MaxLen::about(10_000), entry), |n| n, |server| entries(server, "events"));
}

#[test]
#[ignore = "starts a Redis"]
fn writes_of_all_kinds_keep_the_rules() {
    let writes = |n: u64| {
        let stream = RedisWrite::stream(format!("s{}", n % 2), [("n", n)]).max_len(MaxLen::exactly(10_000));
        [RedisWrite::hash("h", n, n), RedisWrite::string(format!("t{n}"), n), stream]
    };
    let read = |server: &Server| {
        let mut numbers: Vec<u64> = server.ask("HKEYS h");
        numbers.sort();
        let mut streamed = [entries(server, "s0"), entries(server, "s1")].concat();
        streamed.sort();
        assert_eq!(numbers, streamed);
        assert_eq!(server.ask::<Vec<String>>("KEYS t*").len(), numbers.len());
        numbers
    };
    conforms(move |to| to.writes(writes), |n| n, read);
}

#[test]
#[ignore = "starts a Redis"]
fn a_stream_keeps_its_newest_entries() {
    let server = Server::start();
    let sink = RedisSink::new(server.described()).stream("events", MaxLen::exactly(3), |n: u64| [("n", n)]);
    let process = crate::server::Process::new(sink, None);
    process.recover().unwrap();
    process.write(1, (0..10).collect()).unwrap();
    assert_eq!(entries(&server, "events"), [7, 8, 9]);
}
