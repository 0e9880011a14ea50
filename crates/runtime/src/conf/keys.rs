//! The table of all settings: each is declared here, once. The reference page `docs/configuration.md` is made from it.
//! A new setting is a row here, a method of [`Conf`](crate::Conf) of the same name, and the place that reads it.

use super::key::{Key, Kind, THREADS_MAX};
use super::nearest::nearest;
use super::spark::why_absent;
use headwater_core::rdd::{BLOCK_BYTES, PARTITIONS_MAX};
use headwater_core::{Error, Result};
use std::time::Duration;

/// Declares the keys and lists them, so that none can be missing in the list.
macro_rules! keys {
    ($($name:ident = $key:expr),* $(,)?) => {
        $(pub(crate) static $name: Key = $key;)*
        /// Every key, in the order of the reference page.
        pub(super) static KEYS: &[&Key] = &[$(&$name),*];
    };
}

/// What a wait for a connection lasts at least and at most.
const WAIT_MIN: Duration = Duration::from_millis(1);
const WAIT_MAX: Duration = Duration::from_secs(86_400);

keys!(
    MASTER = Key {
        name: "headwater.master",
        spark: Some("spark.master"),
        kind: Kind::Master,
        default: "local[*]",
        secret: false,
        meaning: "Where tasks run: `local` on one thread, `local[N]` on N, `local[*]` on one per core. Receivers have \
                  threads of their own.",
    },
    APP_NAME = Key {
        name: "headwater.app_name",
        spark: Some("spark.app.name"),
        kind: Kind::Text,
        default: "headwater",
        secret: false,
        meaning: "What the application is called in logs and pages.",
    },
    DEFAULT_PARALLELISM = Key {
        name: "headwater.default_parallelism",
        spark: Some("spark.default.parallelism"),
        kind: Kind::NumberOr { word: "threads", min: 1, max: PARTITIONS_MAX as u64 },
        default: "threads",
        secret: false,
        meaning: "How many partitions a shuffle (`reduce_by_key`, `join`, ...) makes unless told otherwise by \
                  `with_partitions`; `threads` means as many as there are task threads.",
    },
    TASK_FAILURES_MAX = Key {
        name: "headwater.task_failures_max",
        spark: Some("spark.task.maxFailures"),
        kind: Kind::Number { min: 1, max: u64::MAX },
        default: "4",
        secret: false,
        meaning: "How often a task is tried before its job fails; 1 means that nothing is tried again.",
    },
    STORAGE_MEMORY_MAX = Key {
        name: "headwater.storage_memory_max",
        spark: None,
        kind: Kind::Size { min: 0, max: u64::MAX },
        default: "512m",
        secret: false,
        meaning: "Memory that the partitions of persisted datasets take, by estimate for records that own heap memory. \
                  Above it those used longest ago go: to disk if their level says so, else they are computed again when \
                  they are needed.",
    },
    STORAGE_DISK_MAX = Key {
        name: "headwater.storage_disk_max",
        spark: None,
        kind: Kind::Size { min: 0, max: u64::MAX },
        default: "64g",
        secret: false,
        meaning: "Disk that the partitions of persisted datasets take. What is above is computed again when it is needed.",
    },
    LOCAL_DIR = Key {
        name: "headwater.local_dir",
        spark: Some("spark.local.dir"),
        kind: Kind::Text,
        default: "",
        secret: false,
        meaning: "The folder below which a context makes folders of its own for what persisted datasets, and state that \
                  has no room in memory, leave on disk, and removes them at its end; empty means where the system keeps \
                  temporary files.",
    },
    HASH_SEED = Key {
        name: "headwater.hash_seed",
        spark: None,
        kind: Kind::NumberOr { word: "random", min: 0, max: u64::MAX },
        default: "random",
        secret: true,
        meaning: "The seed of the partition hash. `random` takes a new one for each context, so that keys from outside \
                  cannot be made to collide; a number puts equal keys into equal partitions from run to run. It is a \
                  secret: logs and errors do not show it.",
    },
    CONCURRENT_JOBS = Key {
        name: "headwater.streaming.concurrent_jobs",
        spark: Some("spark.streaming.concurrentJobs"),
        kind: Kind::Number { min: 1, max: THREADS_MAX },
        default: "1",
        secret: false,
        meaning: "How many jobs run at a time. With more than one, outputs of a batch, and batches, overlap and may end \
                  out of order.",
    },
    PENDING_BATCHES_MAX = Key {
        name: "headwater.streaming.pending_batches_max",
        spark: None,
        kind: Kind::Number { min: 1, max: u64::MAX },
        default: "1000",
        secret: false,
        meaning: "Batches that may wait or run at a time. At the limit the next batch is generated late, and receivers \
                  wait when their buffer is full.",
    },
    CHECKPOINT_DIR = Key {
        name: "headwater.streaming.checkpoint_dir",
        spark: Some("spark.streaming.checkpoint.directory"),
        kind: Kind::Text,
        default: "",
        secret: false,
        meaning: "The folder in which the application keeps what the next process goes on with: batches, states, what was \
                  received. Empty means that nothing outlives the process.",
    },
    DOWN_TIME = Key {
        name: "headwater.streaming.down_time",
        spark: None,
        kind: Kind::Word(&["in-order", "merge", "skip", "all-at-once"]),
        default: "in-order",
        secret: false,
        meaning: "What becomes, at a restart, of the batches whose time came while no process ran: `in-order` makes each of \
                  them, as fast as they are done; `merge` makes one, the newest, which gets what came in meanwhile; `skip` \
                  makes none, and the next one in time gets it; `all-at-once`, as Spark does, makes them all at once, \
                  however many wait then. No record is lost by any; batches have at most what their rates allow.",
    },
    DROP_STATE = Key {
        name: "headwater.streaming.drop_state",
        spark: None,
        kind: Kind::Text,
        default: "",
        secret: false,
        meaning: "The ids of operators, with commas between, whose stored state may be lost at a restart, since the program \
                  has no use for it any more; `all` for whatever that is. Without it such a program does not start.",
    },
    RESTART_WITHOUT_INPUTS = Key {
        name: "headwater.streaming.restart_without_inputs",
        spark: None,
        kind: Kind::Flag,
        default: "false",
        secret: false,
        meaning: "Whether a program goes on behind a restart with inputs that cannot deliver again what batches had of them, \
                  such as `queue_stream`: those batches have nothing of them then. `false` makes it an error.",
    },
    RESTART_BEHIND_SINKS = Key {
        name: "headwater.streaming.restart_behind_sinks",
        spark: None,
        kind: Kind::Flag,
        default: "false",
        secret: false,
        meaning: "Whether a program goes on where a sink has newer batches than the checkpoint folder knows of, which is an \
                  older copy then, or was cut: nothing is written again of batches that the sink has. `false` makes it an \
                  error, for it is right only where inputs give each batch the same records again.",
    },
    STATE_SNAPSHOT_AFTER = Key {
        name: "headwater.streaming.state_snapshot_after",
        spark: None,
        kind: Kind::Size { min: 1, max: u64::MAX },
        default: "8m",
        secret: false,
        meaning: "A snapshot of keyed state is taken, while batches go on, when the changes since the last one have so many \
                  bytes, or twice as many as that had, if those are more. A restart reads a snapshot and the changes behind it.",
    },
    PLAN_ONLY = Key {
        name: "headwater.streaming.plan_only",
        spark: None,
        kind: Kind::Flag,
        default: "false",
        secret: false,
        meaning: "With `true`, starting prints what becomes of what the checkpoint folder has under this program, operator by \
                  operator, and the context is stopped then: nothing runs and nothing changes.",
    },
    STATE_MEMORY_MAX = Key {
        name: "headwater.streaming.state_memory_max",
        spark: None,
        kind: Kind::Size { min: 0, max: u64::MAX },
        default: "1g",
        secret: false,
        meaning: "Memory that the states of all `update_state_by_key` and `map_with_state` take. What is above goes to \
                  disk behind each batch, below `headwater.local_dir`, and is read from there when its key has new \
                  records; writing and reading it takes up to 64 MiB more. The totals of windows stay in memory.",
    },
    STATE_SHARDS = Key {
        name: "headwater.streaming.state_shards",
        spark: None,
        kind: Kind::Number { min: 1, max: PARTITIONS_MAX as u64 },
        default: "256",
        secret: false,
        meaning: "Virtual shards that the keys of each state, or window by key, are cut into by their hash. A partition \
                  has whole shards: an operator with more partitions than this has one for each.",
    },
    DEAD_LETTERS_MAX = Key {
        name: "headwater.streaming.dead_letters_max",
        spark: None,
        kind: Kind::Number { min: 1, max: u64::MAX },
        default: "1000000",
        secret: false,
        meaning: "Records that operators have set aside (`set_aside`) and that were not dropped or re-driven. A batch that \
                  sets aside one more fails, and names this limit. Without a checkpoint folder the newest are kept, 10000 \
                  at most.",
    },
    DEAD_LETTER_BYTES_MAX = Key {
        name: "headwater.streaming.dead_letter_bytes_max",
        spark: None,
        kind: Kind::Size { min: 1, max: u64::MAX },
        default: "1g",
        secret: false,
        meaning: "Bytes of those records, with their errors. On disk they take up to twice as many and 64 MiB. Without a \
                  checkpoint folder the newest are kept, 64 MiB at most.",
    },
    LINE_BYTES_MAX = Key {
        name: "headwater.streaming.line_bytes_max",
        spark: None,
        kind: Kind::Size { min: 1, max: BLOCK_BYTES as u64 - 1 },
        default: "1m",
        secret: false,
        meaning: "Bytes of a received line. A longer one is thrown away with a warning.",
    },
    BUFFERED_BYTES_MAX = Key {
        name: "headwater.streaming.buffered_bytes_max",
        spark: None,
        kind: Kind::Size { min: 1, max: u64::MAX },
        default: "256m",
        secret: false,
        meaning: "Bytes that a receiver holds for batches that are not done. At the limit it stops reading until a \
                  batch is done, and so its peer waits.",
    },
    BUFFERED_RECORDS_MAX = Key {
        name: "headwater.streaming.buffered_records_max",
        spark: None,
        kind: Kind::Number { min: 1, max: u64::MAX },
        default: "1000000",
        secret: false,
        meaning: "Records that a receiver of typed records (`socket_stream`) holds for batches that are not done. At the \
                  limit it takes no more until a batch is done, and so its peer waits.",
    },
    WRITE_AHEAD_LOG = Key {
        name: "headwater.streaming.receiver.write_ahead_log",
        spark: Some("spark.streaming.receiver.writeAheadLog.enable"),
        kind: Kind::Flag,
        default: "true",
        secret: false,
        meaning: "Whether receivers of a durable application write what they receive to a log, before a batch has it or \
                  its sender is told: then a crash loses nothing of it. It does nothing in an application that is not \
                  durable (Spark's default is `false`).",
    },
    MAX_RATE_PER_PARTITION = Key {
        name: "headwater.streaming.max_rate_per_partition",
        spark: None,
        kind: Kind::NumberOr { word: "unlimited", min: 1, max: u64::MAX },
        default: "unlimited",
        secret: false,
        meaning: "Records a second that a direct stream takes of each partition of its source; `unlimited` takes all there \
                  is, also in the first batch. It counts offsets where these have gaps.",
    },
    LISTENER_QUEUE_MAX = Key {
        name: "headwater.streaming.listener_queue_max",
        spark: Some("spark.scheduler.listenerbus.eventqueue.capacity"),
        kind: Kind::Number { min: 1, max: u64::MAX },
        default: "10000",
        secret: false,
        meaning: "Events that may wait for the streaming listeners. Above it they are dropped, counted and warned of: \
                  batches never wait for a listener.",
    },
    CONNECT_TIMEOUT = Key {
        name: "headwater.streaming.connect_timeout",
        spark: None,
        kind: Kind::Duration { min: WAIT_MIN, max: WAIT_MAX },
        default: "5s",
        secret: false,
        meaning: "How long a receiver's connection may take to come about before it is tried again.",
    },
    RECEIVER_RESTART_DELAY = Key {
        name: "headwater.streaming.receiver_restart_delay",
        spark: Some("spark.streaming.receiverRestartDelay"),
        kind: Kind::Duration { min: WAIT_MIN, max: WAIT_MAX },
        default: "250ms",
        secret: false,
        meaning: "The wait before a receiver whose connection failed or ended connects again. Each failure in a row \
                  doubles it, up to 8 s (Spark waits 2 s each time).",
    },
    GRACEFUL_STOP_TIMEOUT = Key {
        name: "headwater.streaming.graceful_stop_timeout",
        spark: Some("spark.streaming.gracefulStopTimeout"),
        kind: Kind::DurationOr { word: "none", min: WAIT_MIN, max: WAIT_MAX },
        default: "none",
        secret: false,
        meaning: "How long a graceful stop may take, from the request on. Then it cuts off what runs, and its error says \
                  what was left. `none` waits as long as the batches take (Spark: 10 batch intervals).",
    },
    STOP_GRACEFULLY_ON_SHUTDOWN = Key {
        name: "headwater.streaming.stop_gracefully_on_shutdown",
        spark: Some("spark.streaming.stopGracefullyOnShutdown"),
        kind: Kind::Flag,
        default: "true",
        secret: false,
        meaning: "Whether SIGTERM and SIGINT (Ctrl-C) stop a running context gracefully; a second one cuts off what runs, \
                  and a third ends the process. With `false` signals are left alone.",
    },
);

/// The key of this name, its own or Spark's. The error of another name says what was meant, or why there is no such
/// setting.
pub(super) fn find(name: &str) -> Result<&'static Key> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name || key.spark == Some(name)) {
        return Ok(key);
    }
    if let Some(why) = why_absent(name) {
        return Err(Error::program(format!("{name} has no counterpart: {why}")));
    }
    let known: Vec<&str> = KEYS.iter().map(|key| key.name).chain(KEYS.iter().filter_map(|key| key.spark)).collect();
    let hint = match nearest(name, &known) {
        Some(at) => format!("did you mean {}?", known[at]),
        None => "docs/configuration.md lists all keys".to_owned(),
    };
    Err(Error::program(format!("unknown key {name:?}; {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_key_is_told_apart_by_every_name_it_has() {
        let names: Vec<String> = KEYS
            .iter()
            .flat_map(|key| [key.name.to_owned(), key.variable(), key.method().to_owned()])
            .chain(KEYS.iter().filter_map(|key| key.spark.map(str::to_owned)))
            .collect();
        let different: HashSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }

    #[test]
    fn names_follow_the_scheme_and_defaults_are_values() {
        for key in KEYS {
            let parts: Vec<&str> = key.name.split('.').collect();
            assert!(parts[0] == "headwater" && parts.len() >= 2, "{}", key.name);
            let plain = |part: &&str| part.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            assert!(parts.iter().all(plain), "{}", key.name);
            // Those would be taken for variables that Kubernetes sets for a service called headwater.
            assert!(!key.variable().split('_').any(|part| part == "SERVICE" || part == "PORT"), "{}", key.name);
            assert_eq!(key.kind.check(key.default), Ok(()), "{}", key.name);
            assert!(key.meaning.ends_with(['.', ')']), "{}", key.name);
        }
    }
}
