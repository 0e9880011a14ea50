//! Look-ups in Redis.

use crate::server::Server;
use headwater::prelude::*;
use headwater::testkit::Check;
use headwater_redis::look_up::{LookUp, LookUpStream, OnFailure};
use headwater_redis::{RedisLookUp, RedisServer};

type Found = Vec<(u64, Option<String>)>;

fn found(numbers: impl IntoIterator<Item = u64>) -> Found {
    numbers.into_iter().map(|n| (n, (n % 2 == 0).then(|| format!("even {n}").replace(' ', "-")))).collect()
}
/// What a batch of numbers becomes, in two partitions.
fn looked_up(numbers: Vec<u64>, look_up: &LookUp<u64, String>) -> headwater::Result<Found> {
    let program = move |stream: DStream<u64>| stream.look_up(|n| *n, look_up.clone());
    let check = Check::new().input_partitions(2);
    Ok(check.output([Some(numbers)], program)?.into_iter().flatten().flatten().collect())
}
fn filled(server: &Server) {
    for n in (0..1000).step_by(2) {
        server.ask::<()>(&format!("HSET h {n} even-{n}"));
    }
    server.ask::<()>("MSET 0 even-0 2 even-2 4 even-4");
}

#[test]
#[ignore = "starts a Redis"]
fn values_of_hashes_and_strings_are_found_in_order() {
    let server = Server::start();
    filled(&server);
    let numbers: Vec<u64> = (0..1000).rev().collect();
    let hash = RedisLookUp::hash(server.described(), "h");
    assert_eq!(looked_up(numbers.clone(), &hash).unwrap(), found(numbers));
    let strings = RedisLookUp::strings(server.described());
    assert_eq!(looked_up(vec![4, 3, 0, 4], &strings).unwrap(), found([4, 3, 0, 4]));
    // Few requests: 500 keys of a partition are four.
    let stats: String = server.ask("INFO commandstats");
    assert!(stats.contains("cmdstat_hmget:calls=8,"), "{stats}");
}

#[test]
#[ignore = "starts a Redis"]
fn a_connection_that_was_closed_is_made_again() {
    let server = Server::start();
    filled(&server);
    let hash = RedisLookUp::hash(server.described(), "h");
    assert_eq!(looked_up(vec![2], &hash).unwrap(), found([2]));
    server.kill();
    server.start_again();
    assert_eq!(looked_up(vec![4], &hash.retry(1, Duration::ZERO)).unwrap(), found([4]));
}

#[test]
#[ignore = "starts a Redis"]
fn a_server_that_is_down_or_refuses_fails_the_batch_or_is_gone_without() {
    let server = Server::with(&[("REDIS_PASSWORD", "geheim")]);
    filled(&server);
    let wrong = RedisServer::new(&server.url_as("redis", ":geheimnis@"));
    let refused = looked_up(vec![2], &RedisLookUp::hash(wrong, "h")).unwrap_err();
    let text = format!("{refused} {refused:?}");
    assert!(text.contains("mend the user or the password") && !text.contains("geheim"), "{text}");
    let other_type =
        looked_up(vec![2], &RedisLookUp::hash(server.described(), "2").retry(0, Duration::ZERO)).unwrap_err();
    assert!(other_type.to_string().contains("WRONGTYPE"), "{other_type}");
    server.stop();
    let down = RedisLookUp::hash(server.described(), "h").retry(1, Duration::ZERO);
    let text = looked_up(vec![2], &down).unwrap_err().to_string();
    assert!(text.contains("tried 2 times: redis at 127.0.0.1:") && text.contains("refused"), "{text}");
    assert_eq!(looked_up(vec![2], &down.on_failure(OnFailure::Absent)).unwrap(), [(2, None)]);
    server.start_again();
}

#[test]
#[ignore = "starts a Redis"]
fn look_ups_speak_tls() {
    let server = Server::with(&[("REDIS_TLS", "yes")]);
    let trusting = RedisLookUp::hash(server.described().ca_pem(server.ca_pem()), "h");
    assert_eq!(looked_up(vec![2], &trusting).unwrap(), [(2, None)]);
    let text = looked_up(vec![2], &RedisLookUp::hash(server.described(), "h")).unwrap_err().to_string();
    assert!(text.contains("RedisServer::ca_pem"), "{text}");
}
