//! The methods of [`Conf`] that set something, one for each key.

use super::{Conf, keys, quantity};
use std::time::Duration;

impl Conf {
    /// Where tasks run: `local` (one thread), `local[N]`, or `local[*]` (a thread per core). Receivers have threads of
    /// their own, so `local[1]` works with them.
    #[track_caller]
    pub fn master(self, master: impl Into<String>) -> Conf {
        self.in_code(&keys::MASTER, master.into())
    }
    /// What the application is called in logs and pages.
    #[track_caller]
    pub fn app_name(self, name: impl Into<String>) -> Conf {
        self.in_code(&keys::APP_NAME, name.into())
    }
    /// How many partitions a shuffle makes unless told otherwise; default: as many as there are task threads. Source:
    /// `spark.default.parallelism`.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let conf = Conf::new().master("local[2]").default_parallelism(5);
    /// let ssc = StreamingContext::new(conf, seconds(1))?;
    /// let counts = ssc.context().parallelize(vec![("a", 1), ("b", 2)], 1).map(|(word, n)| (word.to_string(), n));
    /// assert_eq!(counts.reduce_by_key(|a, b| a + b).num_partitions(), 5);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn default_parallelism(self, partitions: usize) -> Conf {
        self.in_code(&keys::DEFAULT_PARALLELISM, partitions.to_string())
    }
    /// How often a task is tried before its job fails; default 4, and 1 means that nothing is tried again. Source:
    /// `spark.task.maxFailures`.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let ssc = StreamingContext::new(Conf::new().master("local[2]").task_failures_max(2), seconds(1))?;
    /// let failing = ssc.context().parallelize(vec![1, 0], 1).map(|x| 1 / x);
    /// assert!(failing.collect().unwrap_err().to_string().contains("failed 2 times"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn task_failures_max(self, failures: usize) -> Conf {
        self.in_code(&keys::TASK_FAILURES_MAX, failures.to_string())
    }
    /// How many jobs run at a time; default 1. With more, outputs of a batch, and batches, overlap and may end out of
    /// order. Source: `spark.streaming.concurrentJobs`.
    #[track_caller]
    pub fn concurrent_jobs(self, jobs: usize) -> Conf {
        self.in_code(&keys::CONCURRENT_JOBS, jobs.to_string())
    }
    /// Batches that may wait or run at a time; default 1,000. At the limit the next batch is generated late, and
    /// receivers wait when their buffer is full.
    #[track_caller]
    pub fn pending_batches_max(self, batches: usize) -> Conf {
        self.in_code(&keys::PENDING_BATCHES_MAX, batches.to_string())
    }
    /// Memory that the partitions of persisted datasets take, in bytes; default 512 MiB. Above it those used longest ago
    /// go: to disk if their level says so, else they are computed again when they are needed.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().storage_memory_max(2 << 30).local_dir("/fast/disk");
    /// assert_eq!(conf.get("headwater.storage_memory_max")?, "2g");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn storage_memory_max(self, bytes: usize) -> Conf {
        self.in_code(&keys::STORAGE_MEMORY_MAX, quantity::size_text(bytes as u64))
    }
    /// Disk that the partitions of persisted datasets take, in bytes; default 64 GiB. What is above is computed again
    /// when it is needed.
    #[track_caller]
    pub fn storage_disk_max(self, bytes: u64) -> Conf {
        self.in_code(&keys::STORAGE_DISK_MAX, quantity::size_text(bytes))
    }
    /// The folder below which a context makes folders of its own for what persisted datasets, and state that has no room
    /// in memory, leave on disk; default: where the system keeps temporary files. Source: `spark.local.dir`.
    #[track_caller]
    pub fn local_dir(self, path: impl Into<String>) -> Conf {
        self.in_code(&keys::LOCAL_DIR, path.into())
    }
    /// The seed of the partition hash; default: random, so that keys from outside cannot be made to collide. Set it
    /// to have equal keys in equal partitions from run to run.
    #[track_caller]
    pub fn hash_seed(self, seed: u64) -> Conf {
        self.in_code(&keys::HASH_SEED, seed.to_string())
    }
    /// The folder in which the application keeps what the next process goes on with; the same as
    /// [`StreamingContext::checkpoint`](crate::StreamingContext::checkpoint). Source: `spark.streaming.checkpoint.directory`.
    #[track_caller]
    pub fn checkpoint_dir(self, path: impl Into<String>) -> Conf {
        self.in_code(&keys::CHECKPOINT_DIR, path.into())
    }
    /// What becomes, at a restart, of the batches whose time came while no process ran: `in-order` (default), `merge`,
    /// `skip`, or `all-at-once`, which is Spark's. No record is lost by any of them.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// assert_eq!(Conf::new().down_time("merge").get("headwater.streaming.down_time")?, "merge");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn down_time(self, policy: &str) -> Conf {
        self.in_code(&keys::DOWN_TIME, policy.to_owned())
    }
    /// The ids of operators, with commas between, whose stored state may be lost at a restart because the program has no
    /// use for it any more; `all` for whatever that is. By default such a program does not start.
    #[track_caller]
    pub fn drop_state(self, operators: &str) -> Conf {
        self.in_code(&keys::DROP_STATE, operators.to_owned())
    }
    /// Whether a program goes on behind a restart with inputs that cannot deliver again what batches had of them, such as
    /// `queue_stream`. Default: an error.
    #[track_caller]
    pub fn restart_without_inputs(self, may: bool) -> Conf {
        self.in_code(&keys::RESTART_WITHOUT_INPUTS, may.to_string())
    }
    /// Whether a program goes on where a sink has newer batches than the checkpoint folder knows of: where that is an older
    /// copy, or was cut. Nothing is written again of batches that the sink has. For one start, and only where the inputs give
    /// each batch the same records again. Default: an error.
    #[track_caller]
    pub fn restart_behind_sinks(self, may: bool) -> Conf {
        self.in_code(&keys::RESTART_BEHIND_SINKS, may.to_string())
    }
    /// A snapshot of keyed state is taken when the changes since the last one have so many bytes, or twice as many as that had, if
    /// those are more; default 8 MiB. A restart reads a snapshot and the changes behind it.
    #[track_caller]
    pub fn state_snapshot_after(self, bytes: u64) -> Conf {
        self.in_code(&keys::STATE_SNAPSHOT_AFTER, quantity::size_text(bytes))
    }
    /// Records that may be set aside ([`DStream::set_aside`](headwater_core::DStream::set_aside)) and not dropped or
    /// re-driven; default 1,000,000. A batch that sets aside one more fails, and names the limit. Without a checkpoint folder
    /// the newest are kept, 10,000 at most.
    #[track_caller]
    pub fn dead_letters_max(self, letters: u64) -> Conf {
        self.in_code(&keys::DEAD_LETTERS_MAX, letters.to_string())
    }
    /// Bytes of records that may be set aside, in the way of [`Conf::dead_letters_max`]; default 1 GiB. Without a checkpoint
    /// folder the newest are kept, 64 MiB at most.
    #[track_caller]
    pub fn dead_letter_bytes_max(self, bytes: u64) -> Conf {
        self.in_code(&keys::DEAD_LETTER_BYTES_MAX, quantity::size_text(bytes))
    }
    /// Starting prints what becomes of what the checkpoint folder has under this program, and the context is stopped then.
    /// See [`StreamingContext::plan`](crate::StreamingContext::plan).
    #[track_caller]
    pub fn plan_only(self, only: bool) -> Conf {
        self.in_code(&keys::PLAN_ONLY, only.to_string())
    }
    /// Memory that the states of all `update_state_by_key` and `map_with_state` take, in bytes; default 1 GiB. What is
    /// above goes to disk behind each batch, below [`Conf::local_dir`], and is read from there when its key has new
    /// records; writing and reading it takes up to 64 MiB more. The totals of windows stay in memory. Spark keeps all
    /// state in memory.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let conf = Conf::new().master("local[2]").state_memory_max(8 << 30).local_dir("/fast/disk");
    /// let ssc = StreamingContext::new(conf, seconds(1))?;
    /// assert_eq!(ssc.context().state_limits().memory_bytes, 8 << 30);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn state_memory_max(self, bytes: u64) -> Conf {
        self.in_code(&keys::STATE_MEMORY_MAX, quantity::size_text(bytes))
    }
    /// Virtual shards that the keys of each state are cut into by their hash; default 256, at least 1. A partition has
    /// whole shards, so state can be dealt out to other partitions without a look at each key. An addition to Spark.
    #[track_caller]
    pub fn state_shards(self, shards: usize) -> Conf {
        self.in_code(&keys::STATE_SHARDS, shards.to_string())
    }
    /// Bytes of a received line; default 1 MiB, less than 8 MiB. A longer one is thrown away with a warning.
    #[track_caller]
    pub fn line_bytes_max(self, bytes: usize) -> Conf {
        self.in_code(&keys::LINE_BYTES_MAX, quantity::size_text(bytes as u64))
    }
    /// Bytes that a receiver holds for batches that are not done; default 256 MiB. At the limit it stops reading
    /// until a batch is done, and so its peer waits.
    #[track_caller]
    pub fn buffered_bytes_max(self, bytes: usize) -> Conf {
        self.in_code(&keys::BUFFERED_BYTES_MAX, quantity::size_text(bytes as u64))
    }
    /// Records that a receiver of typed records (`socket_stream`) holds for batches that are not done; default
    /// 1,000,000. At the limit it takes no more until a batch is done, and so its peer waits.
    #[track_caller]
    pub fn buffered_records_max(self, records: usize) -> Conf {
        self.in_code(&keys::BUFFERED_RECORDS_MAX, records.to_string())
    }
    /// Whether receivers of a durable application write what they receive to a log, before a batch has it or its sender is
    /// told; default true. Source: `spark.streaming.receiver.writeAheadLog.enable`, whose default is false.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().write_ahead_log(false);
    /// assert_eq!(conf.get("spark.streaming.receiver.writeAheadLog.enable")?, "false");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn write_ahead_log(self, is_on: bool) -> Conf {
        self.in_code(&keys::WRITE_AHEAD_LOG, is_on.to_string())
    }
    /// Records a second that a direct stream takes of each partition of its source, in its first batch too; default: all
    /// there is. Parts of a record go into a later batch, so that it is exact also at short intervals. Where offsets have
    /// gaps it counts offsets. Source: `spark.streaming.kafka.maxRatePerPartition`, which takes at least one a batch.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (env, conf) = (testkit::TestEnv::new(), Conf::new().master("local[2]").max_rate_per_partition(2));
    /// let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
    /// let numbers = testkit::MemorySource::new("numbers", 1);
    /// numbers.append(0, [1, 2, 3])?;
    /// let (sent, received) = std::sync::mpsc::channel();
    /// ssc.direct_stream(numbers).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// env.clock.advance(seconds(2));
    /// assert_eq!([received.recv().unwrap(), received.recv().unwrap()], [vec![1, 2], vec![3]]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn max_rate_per_partition(self, records: u64) -> Conf {
        self.in_code(&keys::MAX_RATE_PER_PARTITION, records.to_string())
    }
    /// Events that may wait for the streaming listeners; default 10,000. Above it they are dropped, with a warning and
    /// counted by [`RunningContext::dropped_events`](crate::RunningContext::dropped_events): batches never wait for a
    /// listener. Source: `spark.scheduler.listenerbus.eventqueue.capacity`.
    #[track_caller]
    pub fn listener_queue_max(self, events: usize) -> Conf {
        self.in_code(&keys::LISTENER_QUEUE_MAX, events.to_string())
    }
    /// How long a receiver's connection may take to come about before it is tried again; from a millisecond to a day,
    /// default 5 s.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().connect_timeout(std::time::Duration::from_millis(1500));
    /// assert_eq!(conf.get("headwater.streaming.connect_timeout")?, "1500ms");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn connect_timeout(self, timeout: Duration) -> Conf {
        self.in_code(&keys::CONNECT_TIMEOUT, quantity::duration_text(timeout))
    }
    /// The wait before a receiver whose connection failed or ended connects again; from a millisecond to a day, default
    /// 250 ms. Each failure in a row doubles it, up to 8 s. Source: `spark.streaming.receiverRestartDelay`, which is
    /// 2 s each time.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().receiver_restart_delay(std::time::Duration::from_secs(2));
    /// assert_eq!(conf.get("spark.streaming.receiverRestartDelay")?, "2s");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn receiver_restart_delay(self, delay: Duration) -> Conf {
        self.in_code(&keys::RECEIVER_RESTART_DELAY, quantity::duration_text(delay))
    }
    /// How long a graceful stop may take, from a millisecond to a day; default: as long as the batches take, since what was
    /// received and is cut off is lost. At the deadline it cuts off what runs and returns an error that says what was left:
    /// [`RunningContext::stop_gracefully_within`](crate::RunningContext::stop_gracefully_within). Where a supervisor kills
    /// what does not end in time (Kubernetes after 30 s), a little less than that gets the error into the log. Source:
    /// `spark.streaming.gracefulStopTimeout`, which is 10 batch intervals and ends without an error.
    ///
    /// ```
    /// use headwater_runtime::Conf;
    /// let conf = Conf::new().graceful_stop_timeout(std::time::Duration::from_secs(25));
    /// assert_eq!(conf.get("spark.streaming.gracefulStopTimeout")?, "25s");
    /// assert_eq!(Conf::new().get("headwater.streaming.graceful_stop_timeout")?, "none");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn graceful_stop_timeout(self, timeout: Duration) -> Conf {
        self.in_code(&keys::GRACEFUL_STOP_TIMEOUT, quantity::duration_text(timeout))
    }
    /// Whether SIGTERM and SIGINT (Ctrl-C) stop a running context gracefully; default true: a process that is asked to end
    /// would else lose what it received and had not processed. (Spark's default is false, where they stop it without
    /// grace.) The second signal cuts off what runs, and whoever awaits the termination gets an error that says what was
    /// left; a third ends the process. The stop is carried out by a thread of the context's, also while nobody awaits the
    /// termination; its errors go to whoever does. The program goes on behind it: where it awaits batches or the
    /// termination, that returns. One that then begins something else, rather than to end, sets this to false.
    ///
    /// The handler is installed by the start. Behind the stop, and when no other context of the process runs, a signal ends
    /// the process, as it does by default. A handler that the process had before is called too, but it does not get the
    /// signals back for itself: a program that has one of its own sets this to false, and has that one call
    /// [`StopHandle::request_graceful_stop`](crate::StopHandle::request_graceful_stop). Source:
    /// `spark.streaming.stopGracefullyOnShutdown`.
    ///
    /// ```
    /// use headwater::{env::Signal, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::new();
    /// let conf = Conf::new().master("local[1]").stop_gracefully_on_shutdown(false);
    /// let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
    /// ssc.queue_stream(&RddQueue::<u64>::new()).print();
    /// let _running = ssc.start()?;
    /// assert!(!env.signals.raise(Signal::Interrupt), "nobody handles it: it would end the process");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn stop_gracefully_on_shutdown(self, graceful: bool) -> Conf {
        self.in_code(&keys::STOP_GRACEFULLY_ON_SHUTDOWN, graceful.to_string())
    }
}
