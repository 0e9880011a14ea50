//! Servers that refuse: each has an error of the right kind that says what helps, and nothing is written by half.

use crate::conformance::entries;
use crate::server::{LEDGER, Process, Server};
use headwater_core::{Error, ErrorKind};
use headwater_redis::{MaxLen, RedisServer, RedisSink, RedisWrite};

fn to_hash(server: impl Into<RedisServer>) -> Process<RedisSink<u64>> {
    Process::new(RedisSink::new(server).hash("h", |n: u64| (n, n)), None)
}
#[track_caller]
fn says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let text = format!("{error} {error:?}");
    assert_eq!(error.kind(), kind, "{text}");
    parts.iter().for_each(|part| assert!(text.contains(part), "{text}"));
    assert!(!text.contains("geheim"), "{text}");
}

#[test]
#[ignore = "starts a Redis"]
fn a_server_that_is_down_at_the_start_and_while_it_runs_is_worth_another_try() {
    let server = Server::start();
    server.stop();
    let process = to_hash(server.url());
    says(&process.recover::<u64>().unwrap_err(), ErrorKind::Outside, &["redis at 127.0.0.1:", "onnection refused"]);
    server.start_again();
    process.recover::<u64>().unwrap();
    process.write(1, vec![1]).unwrap();
    server.kill();
    says(&process.write(2, vec![2]).unwrap_err(), ErrorKind::Outside, &["onnection refused"]);
    server.start_again();
    process.write(2, vec![2]).unwrap();
    assert_eq!(server.ask::<u64>("HLEN h"), 2);
    // A restart between two batches is nothing that the program hears of.
    server.kill();
    server.start_again();
    process.write(3, vec![3]).unwrap();
    assert_eq!(server.ask::<u64>("HLEN h"), 3);
}

#[test]
#[ignore = "starts a Redis"]
fn a_wrong_password_is_the_program_s_error_and_is_not_shown() {
    let server = Server::with(&[("REDIS_PASSWORD", "geheim")]);
    let right = to_hash(server.url());
    right.recover::<u64>().unwrap();
    right.write(1, vec![1]).unwrap();
    assert!(!format!("{:?}", right.sink).contains("geheim"));
    let wrong = to_hash(server.url_as("redis", ":geheimnis@").as_str());
    says(&wrong.recover::<u64>().unwrap_err(), ErrorKind::Program, &["connecting", "mend the user or the password"]);
    let none = to_hash(server.url_as("redis", "").as_str());
    says(&none.recover::<u64>().unwrap_err(), ErrorKind::Program, &["it wants a password"]);
}

#[test]
#[ignore = "starts a Redis"]
fn tls_takes_a_certificate_that_is_trusted_and_no_other() {
    let server = Server::with(&[("REDIS_TLS", "yes"), ("REDIS_PASSWORD", "geheim")]);
    let trusting = to_hash(server.described().ca_pem(server.ca_pem()));
    trusting.recover::<u64>().unwrap();
    trusting.write(1, vec![1, 2]).unwrap();
    trusting.write(2, vec![3]).unwrap();
    says(
        &to_hash(server.url()).recover::<u64>().unwrap_err(),
        ErrorKind::Program,
        &["certificate", "RedisServer::ca_pem"],
    );
    let broken = to_hash(server.described().ca_pem("no certificate"));
    says(&broken.recover::<u64>().unwrap_err(), ErrorKind::Program, &[]);
    // Both ends must agree on whether it is TLS.
    let plain = to_hash(server.url_as("redis", ":geheim@").as_str());
    says(&plain.recover::<u64>().unwrap_err(), ErrorKind::Outside, &["TLS"]);
    let other = Server::start();
    let misled = RedisServer::new(&other.url_as("rediss", "")).ca_pem(server.ca_pem());
    let misled = to_hash(misled.connect_timeout(std::time::Duration::from_millis(300)));
    says(&misled.recover::<u64>().unwrap_err(), ErrorKind::Outside, &["does not speak TLS", "no answer in time"]);
}

#[test]
#[ignore = "starts a Redis"]
fn a_full_memory_leaves_the_batch_out_as_a_whole_until_there_is_room() {
    let server = Server::start();
    let text = |n: u64| (format!("k{n}"), vec![b'x'; 10_000]);
    let process = Process::new(RedisSink::new(server.described()).strings(text), None);
    process.recover::<u64>().unwrap();
    process.write(1, vec![0]).unwrap();
    server.ask::<()>("CONFIG SET maxmemory-policy noeviction");
    server.ask::<()>("CONFIG SET maxmemory 3mb");
    let mut error = None;
    let mut batch = 2;
    while error.is_none() && batch < 100 {
        error = process.write(batch, (batch * 100..batch * 100 + 50).collect()).err();
        batch += 1;
    }
    says(&error.expect("the memory was full"), ErrorKind::Resources, &["OOM", "raise maxmemory"]);
    let failed = batch - 1;
    assert_eq!(server.ask::<u64>(&format!("GET {LEDGER}")), (failed - 1) * 1000);
    assert!(server.ask::<Vec<String>>(&format!("KEYS k{failed}??")).is_empty());
    assert_eq!(server.ask::<Vec<String>>(&format!("KEYS k{}??", failed - 1)).len(), if failed == 2 { 0 } else { 50 });
    server.ask::<()>("CONFIG SET maxmemory 0");
    process.write(failed, (failed * 100..failed * 100 + 50).collect()).unwrap();
    assert_eq!(server.ask::<Vec<String>>(&format!("KEYS k{failed}??")).len(), 50);
}

#[test]
#[ignore = "starts a Redis"]
fn a_key_of_another_type_leaves_the_batch_out_as_a_whole() {
    let server = Server::start();
    let writes = |n: u64| {
        [RedisWrite::stream("s", [("n", n)]), RedisWrite::hash(format!("h{n}"), n, n), RedisWrite::string("t", n)]
    };
    let process = Process::new(RedisSink::new(server.described()).writes(writes), None);
    process.recover::<u64>().unwrap();
    // Enough keys for more than one call that checks them.
    let numbers: Vec<u64> = (0..2000).collect();
    server.ask::<()>("SET h1999 occupied");
    for _ in 0..2 {
        let error = process.write(1, numbers.clone()).unwrap_err();
        says(
            &error,
            ErrorKind::Data,
            &["the key \"h1999\" holds a string, where a hash is to be written", "nothing of the batch"],
        );
    }
    assert!(!server.exists("s") && !server.exists("h0") && !server.exists("t") && !server.exists(LEDGER));
    server.ask::<()>("DEL h1999");
    process.write(1, numbers).unwrap();
    assert_eq!((entries(&server, "s").len(), server.ask::<u64>("GET t")), (2000, 1999));
}

#[test]
#[ignore = "starts a Redis"]
fn a_read_only_replica_is_found_at_the_start() {
    let server = Server::start();
    let replica = Server::with(&[("REDIS_REPLICA_OF", &server.port())]);
    says(&to_hash(replica.url()).recover::<u64>().unwrap_err(), ErrorKind::Outside, &["read-only replica", "master"]);
    // And where a master becomes one.
    let process = to_hash(server.url());
    process.recover::<u64>().unwrap();
    server.ask::<()>(&format!("REPLICAOF 127.0.0.1 {}", replica.port()));
    says(&process.write(1, vec![1]).unwrap_err(), ErrorKind::Outside, &["read-only replica"]);
    server.ask::<()>("REPLICAOF NO ONE");
    process.write(1, vec![1]).unwrap();
    assert_eq!(server.ask::<u64>("HLEN h"), 1);
}

#[test]
#[ignore = "starts a Redis"]
fn what_the_user_may_not_do_is_named_and_leaves_the_batch_out_as_a_whole() {
    let server = Server::start();
    server.ask::<()>("ACL SETUSER app on >geheim ~* +@all -xadd");
    let writes = |n: u64| [RedisWrite::hash("h", n, n), RedisWrite::stream("s", [("n", n)])];
    let url = server.url_as("redis", "app:geheim@");
    let process = Process::new(RedisSink::new(url).writes(writes), None);
    process.recover::<u64>().unwrap();
    says(&process.write(1, vec![1]).unwrap_err(), ErrorKind::Program, &["XADD", "ACL SETUSER"]);
    assert!(!server.exists("h"));
    server.ask::<()>("ACL SETUSER app +xadd resetkeys ~headwater:* ~s");
    says(&process.write(1, vec![1]).unwrap_err(), ErrorKind::Program, &["ACL SETUSER"]);
    assert!(!server.exists("h") && !server.exists("s"));
    server.ask::<()>("ACL SETUSER app ~h");
    process.write(1, vec![1]).unwrap();
    assert_eq!((server.ask::<u64>("HLEN h"), server.ask::<u64>("XLEN s")), (1, 1));
}

#[test]
#[ignore = "starts a Redis"]
fn a_batch_of_many_calls_and_chunks_is_one() {
    let server = Server::start();
    let writes = |n: u64| {
        let text = "x".repeat(1000);
        [RedisWrite::hash("h", n, n), RedisWrite::stream("s", [("n", n.to_string()), ("text", text)])]
    };
    let process = Process::new(RedisSink::new(server.described()).writes(writes), None);
    process.recover().unwrap();
    process.write(1, (0..20_000).collect()).unwrap();
    assert_eq!((server.ask::<u64>("XLEN s"), server.ask::<u64>("HLEN h")), (20_000, 20_000));
    // As many fields as a command takes, and more.
    let fields = to_hash(server.url());
    fields.recover::<u64>().unwrap();
    fields.write(2, (20_000..30_000).collect()).unwrap();
    assert_eq!(server.ask::<u64>("HLEN h"), 30_000);
    // And an entry with as many as are taken.
    let wide = |n: u64| (0..n).map(|field| (field, field));
    let wide = Process::new(RedisSink::new(server.url()).stream("wide", MaxLen::about(9), wide), None);
    wide.recover::<u64>().unwrap();
    wide.write(3, vec![998]).unwrap();
    assert_eq!(server.ask::<u64>("XLEN wide"), 1);
}
