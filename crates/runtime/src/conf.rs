//! [`Conf`]: the settings of an application, checked when its context is made.

use headwater_core::rdd::BLOCK_BYTES;
use headwater_core::receiver::StoreLimits;
use headwater_core::{Error, Result};

/// The settings of an application. Each method sets one and returns the whole.
///
/// ```
/// use headwater_runtime::Conf;
/// let conf = Conf::new().master("local[2]").app_name("NetworkWordCount");
/// ```
#[derive(Clone, Debug)]
pub struct Conf {
    master: String,
    app_name: String,
    pub(crate) concurrent_jobs: usize,
    pub(crate) pending_batches_max: usize,
    pub(crate) hash_seed: Option<u64>,
    line_bytes_max: usize,
    buffered_bytes_max: usize,
    pub(crate) buffered_records_max: usize,
    pub(crate) listener_queue_max: usize,
}

impl Default for Conf {
    fn default() -> Self {
        Conf::new()
    }
}

impl Conf {
    /// The defaults: master `local[*]`, application name `headwater`.
    pub fn new() -> Conf {
        Conf {
            master: "local[*]".to_owned(),
            app_name: "headwater".to_owned(),
            concurrent_jobs: 1,
            pending_batches_max: 1000,
            hash_seed: None,
            line_bytes_max: 1 << 20,
            buffered_bytes_max: 256 << 20,
            buffered_records_max: 1_000_000,
            listener_queue_max: 10_000,
        }
    }
    /// Where tasks run: `local` (one thread), `local[N]`, or `local[*]` (a thread per core). Receivers have threads of
    /// their own, so `local[1]` works with them.
    pub fn master(mut self, master: impl Into<String>) -> Conf {
        self.master = master.into();
        self
    }
    /// What the application is called in logs and pages.
    pub fn app_name(mut self, name: impl Into<String>) -> Conf {
        self.app_name = name.into();
        self
    }
    /// How many jobs run at a time; default 1. With more, outputs of a batch, and batches, overlap and may end out of
    /// order. Source: `spark.streaming.concurrentJobs`.
    pub fn concurrent_jobs(mut self, jobs: usize) -> Conf {
        self.concurrent_jobs = jobs;
        self
    }
    /// Batches that may wait or run at a time; default 1,000. At the limit the next batch is generated late, and
    /// receivers wait when their buffer is full.
    pub fn pending_batches_max(mut self, batches: usize) -> Conf {
        self.pending_batches_max = batches;
        self
    }
    /// The seed of the partition hash; default: random, so that keys from outside cannot be made to collide. Set it
    /// to have equal keys in equal partitions from run to run.
    pub fn hash_seed(mut self, seed: u64) -> Conf {
        self.hash_seed = Some(seed);
        self
    }
    /// Bytes of a received line; default 1 MiB, at most 8 MiB. A longer one is thrown away with a warning.
    pub fn line_bytes_max(mut self, bytes: usize) -> Conf {
        self.line_bytes_max = bytes;
        self
    }
    /// Bytes that a receiver holds for batches that are not done; default 256 MiB. At the limit it stops reading
    /// until a batch is done, and so its peer waits.
    pub fn buffered_bytes_max(mut self, bytes: usize) -> Conf {
        self.buffered_bytes_max = bytes;
        self
    }
    /// Records that a receiver of typed records (`socket_stream`) holds for batches that are not done; default
    /// 1,000,000. At the limit it takes no more until a batch is done, and so its peer waits.
    pub fn buffered_records_max(mut self, records: usize) -> Conf {
        self.buffered_records_max = records;
        self
    }
    /// Events that may wait for the streaming listeners; default 10,000. Above it they are dropped, with a warning and
    /// counted by [`RunningContext::dropped_events`](crate::RunningContext::dropped_events): batches never wait for a
    /// listener. Source: `spark.scheduler.listenerbus.eventqueue.capacity`.
    pub fn listener_queue_max(mut self, events: usize) -> Conf {
        self.listener_queue_max = events;
        self
    }

    /// The name given by [`Conf::app_name`].
    pub fn name(&self) -> &str {
        &self.app_name
    }

    pub(crate) fn store_limits(&self) -> StoreLimits {
        StoreLimits { line_bytes_max: self.line_bytes_max, buffered_bytes_max: self.buffered_bytes_max }
    }

    /// Checks every setting; the number of task threads.
    pub(crate) fn validate(&self) -> Result<usize> {
        let at_least_one = [
            ("concurrent_jobs", self.concurrent_jobs),
            ("pending_batches_max", self.pending_batches_max),
            ("line_bytes_max", self.line_bytes_max),
            ("buffered_bytes_max", self.buffered_bytes_max),
            ("buffered_records_max", self.buffered_records_max),
            ("listener_queue_max", self.listener_queue_max),
        ];
        for (name, value) in at_least_one {
            if value == 0 {
                return Err(Error::program(format!("Conf::{name}(0): it must be at least 1")));
            }
        }
        if self.line_bytes_max >= BLOCK_BYTES {
            let given = self.line_bytes_max;
            return Err(Error::program(format!(
                "Conf::line_bytes_max({given}): a line must fit a block of {BLOCK_BYTES}"
            )));
        }
        task_threads(&self.master)
    }
}

/// The most threads that `local[N]` may ask for: far above any machine, far below what breaks one.
const THREADS_MAX: usize = 4096;

fn task_threads(master: &str) -> Result<usize> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let invalid = |why: &str| {
        Err(Error::program(format!(
            "master {master:?} {why}; use \"local\", \"local[N]\" with N from 1 to {THREADS_MAX}, or \"local[*]\""
        )))
    };
    match master.strip_prefix("local") {
        Some("") => Ok(1),
        Some("[*]") => Ok(cores()),
        Some(rest) => match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::parse::<usize>) {
            Some(Ok(0)) => invalid("has no thread to run tasks on"),
            Some(Ok(threads)) if threads <= THREADS_MAX => Ok(threads),
            _ => invalid("is not understood"),
        },
        None => invalid("is not understood"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters() {
        assert_eq!(task_threads("local").unwrap(), 1);
        assert_eq!(task_threads("local[3]").unwrap(), 3);
        assert!(task_threads("local[*]").unwrap() >= 1);
        for bad in ["local[0]", "local[-1]", "local[x]", "local[2", "local[]", "spark://host:7077", "", "local[99999]"]
        {
            let error = task_threads(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")) && error.contains("local[N]"), "{error}");
        }
    }

    #[test]
    fn a_limit_of_zero_is_refused_by_name() {
        let error = Conf::new().line_bytes_max(0).validate().unwrap_err().to_string();
        assert_eq!(error, "Conf::line_bytes_max(0): it must be at least 1");
        assert!(Conf::new().line_bytes_max(BLOCK_BYTES).validate().is_err());
        let error = |conf: Conf| conf.validate().unwrap_err().to_string();
        assert!(error(Conf::new().listener_queue_max(0)).starts_with("Conf::listener_queue_max(0)"));
        assert!(error(Conf::new().buffered_records_max(0)).starts_with("Conf::buffered_records_max(0)"));
    }
}
