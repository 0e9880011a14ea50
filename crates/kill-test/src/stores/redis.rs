//! A stream of Redis, appended to.

use super::Store;
use super::server::Server;
use crate::row::Row;
use headwater::dstream::OutputOperation;
use headwater::prelude::*;
use headwater_redis::{MaxLen, RedisSink};

const STREAM: &str = "kill_test";
/// Entries that are read at once.
const PAGE: usize = 10_000;

pub(super) fn write(rows: &DStream<Row>, url: &str) -> OutputOperation {
    let fields = |Row { time, key, value }| [("time", time), ("key", key), ("value", value)];
    rows.write_to(RedisSink::new(url).stream(STREAM, MaxLen::unlimited(), fields))
}

pub(super) struct Redis(Server);
impl Redis {
    pub(super) fn start(dir: &str) -> Result<Redis, String> {
        Ok(Redis(Server::start("redis", dir)?))
    }
    fn read(&self) -> redis::RedisResult<Vec<Row>> {
        let mut connection = redis::Client::open(self.0.url())?.get_connection()?;
        let (mut rows, mut from) = (Vec::new(), "-".to_owned());
        loop {
            let mut query = redis::cmd("XRANGE");
            query.arg(STREAM).arg(&from).arg("+").arg("COUNT").arg(PAGE);
            let page: Vec<(String, [(String, i64); 3])> = query.query(&mut connection)?;
            let Some((last, _)) = page.last() else { return Ok(rows) };
            from = format!("({last}");
            rows.extend(page.iter().map(|(_, [time, key, value])| Row { time: time.1, key: key.1, value: value.1 }));
        }
    }
}
impl Store for Redis {
    fn server(&self) -> String {
        self.0.url()
    }
    fn rows(&self) -> Result<Vec<Row>, String> {
        self.read().map_err(|error| error.to_string())
    }
    fn kill_server(&self) -> Result<(), String> {
        self.0.kill()
    }
}
