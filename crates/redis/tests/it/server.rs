//! A server of a test: started, killed, started again, and stopped at the end, whatever happens.

use headwater::testkit::{TemporaryFolder, TestEnv, temporary_folder};
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::time::Time;
use headwater_core::{Record, Result};
use headwater_redis::RedisServer;
use std::process::Command;

pub(crate) struct Server {
    folder: TemporaryFolder,
    url: String,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::with(&[])
    }
    /// With switches of `scripts/servers/redis/start`.
    pub(crate) fn with(switches: &[(&str, &str)]) -> Server {
        let folder = temporary_folder();
        let url = script("start", &folder, switches);
        Server { folder, url }
    }
    /// The same on the same port, with the data that it had.
    pub(crate) fn start_again(&self) {
        assert_eq!(script("start", &self.folder, &[]), self.url);
    }
    pub(crate) fn kill(&self) {
        let pid = std::fs::read_to_string(format!("{}/pid", self.folder)).unwrap();
        assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
    }
    pub(crate) fn stop(&self) {
        script("stop", &self.folder, &[]);
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
    /// The address with other names before the host.
    pub(crate) fn url_as(&self, scheme: &str, user_and_password: &str) -> String {
        format!("{scheme}://{user_and_password}127.0.0.1:{}/0", self.port())
    }
    pub(crate) fn port(&self) -> String {
        std::fs::read_to_string(format!("{}/port", self.folder)).unwrap().trim().to_owned()
    }
    pub(crate) fn ca_pem(&self) -> Vec<u8> {
        std::fs::read(format!("{}/tls/ca.pem", self.folder)).unwrap()
    }
    pub(crate) fn described(&self) -> RedisServer {
        RedisServer::new(&self.url)
    }
    /// A command of the test's own, words between spaces.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, command: &str) -> T {
        let mut connection = redis::Client::open(self.url.as_str()).unwrap().get_connection().unwrap();
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query(&mut connection).unwrap()
    }
    pub(crate) fn exists(&self, key: &str) -> bool {
        self.ask::<u64>(&format!("EXISTS {key}")) == 1
    }
}
impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a script for a server's folder; the address of the server.
fn script(name: &str, folder: &str, switches: &[(&str, &str)]) -> String {
    let path = format!("{}/../../scripts/servers/redis/{name}", env!("CARGO_MANIFEST_DIR"));
    let run = Command::new(&path).arg(folder).envs(switches.iter().copied()).output().unwrap();
    assert!(run.status.success(), "{path}: {}", String::from_utf8_lossy(&run.stderr));
    std::fs::read_to_string(format!("{folder}/url")).unwrap().trim().to_owned()
}

/// A process of an application with one output, played by the test; batch n is that of n seconds.
pub(crate) struct Process<S> {
    pub(crate) sink: S,
    pub(crate) env: TestEnv,
    committed: Option<u64>,
}
impl<S> Process<S> {
    pub(crate) fn new(sink: S, committed: Option<u64>) -> Process<S> {
        Process { sink, env: TestEnv::new(), committed }
    }
    fn at<T: Record, R>(&self, body: impl FnOnce(&SinkOutput<'_>) -> R) -> R
    where
        S: Sink<T>,
    {
        let env = self.env.env();
        let committed = self.committed.map(batch_time);
        body(&SinkOutput { application: "app", operator: "out", committed, env: &env })
    }
    pub(crate) fn recover<T: Record>(&self) -> Result<()>
    where
        S: Sink<T>,
    {
        self.at(|output| self.sink.recover(output))
    }
    pub(crate) fn write<T: Record>(&self, batch: u64, records: Vec<T>) -> Result<()>
    where
        S: Sink<T>,
    {
        self.at(|output| {
            let (operator, time, env) = (output.operator, batch_time(batch), output.env);
            let part = SinkPart::new(operator, time, (0, 0), env);
            let part = self.sink.prepare(&part, records.into_iter())?;
            self.sink.commit(&SinkBatch { output: *output, time }, &[part])
        })
    }
}
fn batch_time(batch: u64) -> Time {
    Time::from_millis(1000 * batch as i64)
}
/// The key of the ledger of such a process.
pub(crate) const LEDGER: &str = "headwater:ledger:app:out";
