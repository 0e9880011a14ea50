//! The keys of Spark that have no counterpart here, each with the reason. To set one is an error that gives it: a
//! setting that silently does nothing would be believed.

/// Keys of Spark and why there is nothing to set.
pub(super) struct Absent {
    /// Full names; `.*` at the end stands for all that begin so.
    pub(super) keys: &'static [&'static str],
    /// Why, and what to use instead; it goes on where "KEY has no counterpart: " ends.
    pub(super) why: &'static str,
}

/// Why `key` has no counterpart, if it is a key of Spark that we know of.
pub(super) fn why_absent(key: &str) -> Option<&'static str> {
    let matches = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => key.starts_with(beginning),
        None => key == pattern,
    };
    ABSENT.iter().find(|absent| absent.keys.iter().any(|pattern| matches(pattern))).map(|absent| absent.why)
}

const WAL: &str = "segments of the write-ahead log end by size, writes wait for each other and are made durable together, and \
                   a store that cannot append gets a file for each; StreamingContext::write_ahead_log takes another log";
const ONE_PROCESS: &str = "tasks are threads of one process; headwater.master says how many";

/// In the order of Spark's own documentation.
pub(super) static ABSENT: &[Absent] = &[
    Absent {
        keys: &[
            "spark.streaming.backpressure.enabled",
            "spark.streaming.backpressure.initialRate",
            "spark.streaming.backpressure.rateEstimator",
            "spark.streaming.backpressure.pid.proportional",
            "spark.streaming.backpressure.pid.integral",
            "spark.streaming.backpressure.pid.derived",
            "spark.streaming.backpressure.pid.minRate",
        ],
        why: "rates are not regulated; a receiver that is ahead of the batches holds its sender back at \
              headwater.streaming.buffered_bytes_max",
    },
    Absent {
        keys: &["spark.streaming.receiver.maxRate"],
        why: "there is no limit in records a second; headwater.streaming.buffered_bytes_max bounds what is received \
              ahead of the batches",
    },
    Absent {
        keys: &["spark.streaming.blockInterval"],
        why: "a receiver cuts its blocks by size, at 8 MiB, and a batch is cut into tasks by the number of threads",
    },
    Absent {
        keys: &["spark.streaming.blockQueueSize"],
        why: "blocks are stored as they fill, without a queue; headwater.streaming.buffered_bytes_max bounds them",
    },
    Absent {
        keys: &["spark.streaming.receiver.blockStoreTimeout"],
        why: "a block is stored by the receiver itself, which tries again for as long as its log fails",
    },
    Absent {
        keys: &[
            "spark.streaming.receiver.writeAheadLog.class",
            "spark.streaming.receiver.writeAheadLog.rollingIntervalSecs",
            "spark.streaming.receiver.writeAheadLog.maxFailures",
            "spark.streaming.receiver.writeAheadLog.closeFileAfterWrite",
            "spark.streaming.driver.writeAheadLog.*",
        ],
        why: WAL,
    },
    Absent {
        keys: &["spark.streaming.unpersist"],
        why: "an RDD is dropped when no batch can ask for it any more; StreamingContext::remember keeps them longer",
    },
    Absent {
        keys: &["spark.streaming.stopSparkContextByDefault"],
        why: "a context owns its task threads, and a stop ends both",
    },
    Absent { keys: &["spark.streaming.ui.retainedBatches", "spark.ui.*"], why: "there is no web page to configure" },
    Absent {
        keys: &["spark.streaming.sessionByKey.deltaChainThreshold"],
        why: "state changes in place: there are no chains of changes to be cut",
    },
    Absent {
        keys: &["spark.streaming.fileStream.minRememberDuration", "spark.streaming.minRememberDuration"],
        why: "there are no streams of files",
    },
    Absent {
        keys: &["spark.streaming.clock", "spark.streaming.manualClock.jump"],
        why: "a test takes its clock from the test kit, headwater::testkit, and moves it by hand",
    },
    Absent {
        keys: &["spark.streaming.dynamicAllocation.*", "spark.dynamicAllocation.*"],
        why: "there are no executors to add or remove; tasks are threads of one process, by headwater.master",
    },
    Absent {
        keys: &["spark.streaming.internal.batchTime", "spark.streaming.internal.outputOpId"],
        why: "Spark sets it for its own jobs; here foreach_rdd and transform get the batch's time as an argument",
    },
    Absent {
        keys: &["spark.streaming.extraListeners"],
        why: "there are no classes that could be loaded by their name",
    },
    Absent {
        keys: &["spark.streaming.raw.maxBlockSizeBytes"],
        why: "there is no raw socket stream; headwater.streaming.line_bytes_max limits the lines of a text stream",
    },
    Absent {
        keys: &["spark.streaming.kafka.*"],
        why: "there is no Kafka input; headwater.streaming.max_rate_per_partition limits what direct streams take",
    },
    Absent { keys: &["spark.streaming.kinesis.*"], why: "there is no Kinesis input" },
    Absent {
        keys: &[
            "spark.executor.instances",
            "spark.executor.cores",
            "spark.cores.max",
            "spark.task.cpus",
            "spark.locality.wait",
        ],
        why: ONE_PROCESS,
    },
    Absent {
        keys: &["spark.executor.memory", "spark.driver.memory"],
        why: "there is no heap to size; headwater.streaming.buffered_bytes_max bounds what a receiver holds",
    },
    Absent { keys: &["spark.cleaner.ttl"], why: "what no batch can ask for any more is dropped without it" },
    Absent {
        keys: &["spark.serializer", "spark.kryo.*", "spark.kryoserializer.*", "spark.io.compression.codec"],
        why: "records move between tasks as values; what is kept serialised is not compressed",
    },
    Absent {
        keys: &["spark.network.timeout"],
        why: "there are no executors to wait for; headwater.streaming.connect_timeout is for receivers",
    },
    Absent {
        keys: &["spark.driver.maxResultSize"],
        why: "results are handed over in memory, without a limit; take(n) asks for fewer",
    },
    Absent {
        keys: &["spark.yarn.maxAppAttempts"],
        why: "nothing restarts a process that ended; leave that to what starts it",
    },
];

#[cfg(test)]
mod tests {
    use super::super::keys::KEYS;
    use super::*;

    #[test]
    fn a_key_of_spark_has_a_counterpart_or_a_reason_but_not_both() {
        let counterparts = KEYS.iter().filter_map(|key| key.spark);
        counterparts.for_each(|key| assert_eq!(why_absent(key), None, "{key}"));
        let mut seen = std::collections::HashSet::new();
        for key in ABSENT.iter().flat_map(|absent| absent.keys) {
            assert!(key.starts_with("spark.") && seen.insert(key), "{key}");
        }
    }

    #[test]
    fn reasons_name_only_keys_that_exist() {
        for absent in ABSENT {
            let words = absent.why.split(|letter: char| !(letter.is_alphanumeric() || "._".contains(letter)));
            for key in words.filter(|word| word.starts_with("headwater.")) {
                assert!(KEYS.iter().any(|known| known.name == key), "{key}");
            }
        }
    }

    #[test]
    fn a_pattern_stands_for_all_that_begin_so_and_for_nothing_else() {
        assert_eq!(why_absent("spark.streaming.driver.writeAheadLog.rollingIntervalSecs"), Some(WAL));
        assert_eq!(why_absent("spark.streaming.driver.writeAheadLogs"), None);
        assert_eq!(why_absent("spark.executor.cores"), Some(ONE_PROCESS));
        assert_eq!(why_absent("spark.executor.cores.x"), None);
        assert_eq!(why_absent("spark.ui.port"), Some("there is no web page to configure"));
    }
}
