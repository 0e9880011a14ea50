//! [`Child`]: a process of the application, from its start to its end by a kill or a signal.

use crate::application::{COMMITTED, LAST};
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// No start, however much there is to catch up, takes so long.
const START_MAX: Duration = Duration::from_secs(120);

pub(crate) struct Child {
    process: std::process::Child,
    start: Instant,
    /// The lines that it tells, and when; the first says that its first batch is committed.
    told: Receiver<(Instant, String)>,
}

impl Child {
    pub(crate) fn start(arguments: &[String]) -> Result<Child, String> {
        let failed = |error: std::io::Error| format!("cannot start the application: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        let start = Instant::now();
        let mut process = command.arg("application").args(arguments).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter(|line| line == COMMITTED || line.starts_with(LAST)) {
                // Nobody listens once it is killed.
                let _told = tell.send((Instant::now(), line));
            }
        });
        Ok(Child { process, start, told })
    }
    /// How long it took to the commit of its first batch; none if `patience` ends before. An error if it ended by itself.
    pub(crate) fn committed_within(&mut self, patience: Option<Duration>) -> Result<Option<Duration>, String> {
        match self.told.recv_timeout(patience.unwrap_or(START_MAX)) {
            Ok((at, _)) => Ok(Some(at - self.start)),
            Err(RecvTimeoutError::Timeout) if patience.is_some() => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("the application has committed no batch within {START_MAX:?}"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.process.wait().map_err(|error| error.to_string())?;
                Err(ended(status))
            }
        }
    }
    /// kill -9; an error if it has ended by itself.
    pub(crate) fn kill(mut self) -> Result<(), String> {
        if let Some(status) = self.process.try_wait().map_err(|error| error.to_string())? {
            return Err(ended(status));
        }
        let killed = self.process.kill().and_then(|()| self.process.wait());
        killed.map(drop).map_err(|error| format!("cannot kill the application: {error}"))
    }
    /// SIGTERM: it stops when all that it received is committed; the time of its last batch.
    pub(crate) fn stop(mut self) -> Result<i64, String> {
        let told = Command::new("kill").arg(self.process.id().to_string()).status();
        told.map_err(|error| format!("cannot run kill: {error}"))?;
        match self.process.wait().map_err(|error| error.to_string())? {
            status if status.success() => {
                let last = self.told.iter().find_map(|(_, line)| line.strip_prefix(LAST)?.parse().ok());
                last.ok_or_else(|| "the application has not told its last batch".to_owned())
            }
            status => Err(format!("the application has not stopped as it should, but with {status}")),
        }
    }
}

fn ended(status: ExitStatus) -> String {
    format!("the application has ended by itself, with {status}")
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.process.kill();
        let _waited = self.process.wait();
    }
}
