//! What the layers make of a setting, and what is said of one that cannot be.

use super::*;
use headwater_core::ErrorKind;

const NAME: &str = "headwater.streaming.concurrent_jobs";
const VARIABLE: &str = "HEADWATER_STREAMING_CONCURRENT_JOBS";
const NO_VARIABLES: [(&str, &str); 0] = [];

/// The message with which a context of this configuration fails.
fn refused(conf: Conf) -> String {
    let error = conf.validate().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    error.to_string()
}

#[test]
fn code_is_stronger_than_environment_than_file_than_default_in_any_order() {
    let file = format!("\"{NAME}\" = 2");
    let file = Some(("a.toml", file.as_str()));
    let variable = [(VARIABLE, "3")];
    let cases = [
        (Conf::new(), "1"),
        (Conf::from_sources(file, NO_VARIABLES).unwrap(), "2"),
        (Conf::from_sources(None, variable).unwrap(), "3"),
        (Conf::from_sources(file, variable).unwrap(), "3"),
        (Conf::from_sources(file, variable).unwrap().concurrent_jobs(4), "4"),
        (Conf::from_sources(file, NO_VARIABLES).unwrap().set(NAME, 4).set(NAME, 5), "5"),
    ];
    for (conf, expected) in cases {
        assert_eq!(conf.get(NAME).unwrap(), expected);
    }

    let file = |conf: Conf, jobs| conf.with_text("a.toml", &format!("\"{NAME}\" = {jobs}")).unwrap();
    let environment = |conf: Conf| conf.with_variables([(VARIABLE.to_owned(), "3".to_owned())]).unwrap();
    let backwards = file(environment(Conf::new().concurrent_jobs(4)), 2);
    assert_eq!(backwards.get(NAME).unwrap(), "4");
    assert_eq!(file(environment(Conf::new()), 2).get(NAME).unwrap(), "3");
    assert_eq!(file(file(Conf::new(), 2), 6).get(NAME).unwrap(), "6", "of two files the later counts");
}

#[test]
fn a_setting_in_code_that_cannot_be_is_returned_by_the_check_with_its_place() {
    let cases: [(Conf, &str); 9] = [
        (
            Conf::new().line_bytes_max(0),
            "headwater.streaming.line_bytes_max \"0\" is not a size in bytes from 1 to 8388607",
        ),
        (Conf::new().line_bytes_max(8 << 20), "headwater.streaming.line_bytes_max \"8m\" is not a size"),
        (Conf::new().concurrent_jobs(0), "concurrent_jobs \"0\" is not a whole number from 1 to 4096"),
        (Conf::new().master("local[0]"), "headwater.master \"local[0]\" has no thread to run tasks on; use \"local\","),
        (Conf::new().set("spark.master", "yarn"), "spark.master \"yarn\" is not understood; use \"local\","),
        (Conf::new().default_parallelism(0), "is not \"threads\", or a whole number from 1 to 1048576"),
        (Conf::new().connect_timeout(Duration::ZERO), "connect_timeout \"0ms\" is not a duration from 1ms to 1d,"),
        (
            Conf::new().set("headwater.mastre", "local"),
            "unknown key \"headwater.mastre\"; did you mean headwater.master?",
        ),
        (Conf::new().set("pace", 3), "unknown key \"pace\"; docs/configuration.md lists all keys"),
    ];
    for (conf, part) in cases {
        let error = refused(conf);
        assert!(error.starts_with("code at ") && error.contains(part), "{part:?} is not in {error:?}");
    }
    let first = refused(Conf::new().set("pace", 1).master("local[0]").master("local"));
    assert!(first.contains("pace"), "{first}");
    let (line, refusing) = (line!(), Conf::new().concurrent_jobs(0));
    assert!(refused(refusing).contains(&format!("conf/tests.rs:{line}: ")));
}

#[test]
fn a_setting_from_elsewhere_that_cannot_be_is_returned_at_once_with_its_place() {
    let file = |text| Conf::from_sources(Some(("etc/app.toml", text)), NO_VARIABLES).unwrap_err();
    let variable = |name, value| Conf::from_sources(None, [("OTHER", "x"), (name, value)]).unwrap_err();
    let cases = [
        (
            file("[headwater.streaming]\n\nconcurrent_jobs = 'two'"),
            "etc/app.toml:3: headwater.streaming.concurrent_jobs \"two\" is not a whole number from 1 to 4096",
        ),
        (file("x = 1"), "etc/app.toml:1: unknown key \"x\"; docs/configuration.md lists all keys"),
        (file("[headwater]\nhash_seed = -5"), "etc/app.toml:2: headwater.hash_seed [redacted] is not \"random\", or a"),
        (
            file("[headwater]\nmaster = 'local'\n[spark]\nmaster = 'local'"),
            "etc/app.toml:4: headwater.master is set in line 2 already",
        ),
        (
            file("spark.streaming.unpersist = true"),
            "etc/app.toml:1: spark.streaming.unpersist has no counterpart: an RDD is dropped",
        ),
        (
            variable(VARIABLE, "many"),
            "environment variable HEADWATER_STREAMING_CONCURRENT_JOBS: headwater.streaming.concurrent_jobs \"many\" is",
        ),
        (
            variable("HEADWATER_CONCURRENT_JOBS", "2"),
            "unknown environment variable HEADWATER_CONCURRENT_JOBS; did you mean HEADWATER_STREAMING_CONCURRENT_JOBS?",
        ),
        (variable("HEADWATER_MASTRE", "2"), "unknown environment variable HEADWATER_MASTRE; did you mean HEADWATER_MA"),
        (variable("HEADWATER_PACE", "2"), "unknown environment variable HEADWATER_PACE; those that begin with"),
    ];
    for (error, beginning) in cases {
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().starts_with(beginning), "{beginning:?} does not begin {error}");
    }
}

#[test]
fn variables_of_others_and_the_file_variable_are_no_settings() {
    let others = ["PATH", "HEADWATERS", "HEADWATER_CONF", "HEADWATER_SERVICE_HOST", "HEADWATER_PORT_4040_TCP_ADDR"];
    let conf = Conf::from_sources(None, others.map(|name| (name, "tcp://10.0.0.1:4040"))).unwrap();
    assert_eq!(conf.to_debug_string(), "");
}

#[test]
fn methods_set_the_key_that_bears_their_name() {
    let second = Duration::from_secs(1);
    let conf = Conf::new()
        .master("local[3]")
        .app_name("name")
        .default_parallelism(7)
        .task_failures_max(8)
        .storage_memory_max(5)
        .storage_disk_max(6 << 10)
        .local_dir("/tmp")
        .hash_seed(9)
        .concurrent_jobs(10)
        .pending_batches_max(11)
        .checkpoint_dir("/run")
        .down_time("skip")
        .drop_state("sums")
        .restart_without_inputs(true)
        .restart_behind_sinks(true)
        .state_snapshot_after(1 << 10)
        .plan_only(true)
        .state_memory_max(4 << 30)
        .state_shards(77)
        .dead_letters_max(78)
        .dead_letter_bytes_max(3 << 20)
        .line_bytes_max(12 << 10)
        .buffered_bytes_max(13)
        .buffered_records_max(14)
        .write_ahead_log(false)
        .max_rate_per_partition(99)
        .listener_queue_max(15)
        .connect_timeout(2 * second)
        .receiver_restart_delay(3 * second)
        .graceful_stop_timeout(4 * second)
        .stop_gracefully_on_shutdown(false);
    let values = [
        "local[3]", "name", "7", "8", "5", "6k", "/tmp", "9", "10", "11", "/run", "skip", "sums", "true", "true", "1k",
        "true", "4g", "77", "78", "3m", "12k", "13", "14", "false", "99", "15", "2s", "3s", "4s", "false",
    ];
    assert_eq!(keys::KEYS.iter().map(|key| conf.get(key.name).unwrap()).collect::<Vec<_>>(), values);
    for key in keys::KEYS {
        let Some(spark) = key.spark else { continue };
        assert_eq!(conf.get(spark).unwrap(), conf.get(key.name).unwrap());
    }
    assert_eq!(conf.validate().unwrap(), 3);
    assert_eq!(conf.name(), "name");
    assert_eq!((conf.number(&keys::DEFAULT_PARALLELISM), conf.number(&keys::HASH_SEED)), (Some(7), Some(9)));
    assert_eq!((conf.store_limits().line_bytes_max, conf.store_limits().buffered_bytes_max), (12 << 10, 13));
    assert_eq!(conf.duration(&keys::RECEIVER_RESTART_DELAY), 3 * second);
    assert_eq!(conf.duration_or_none(&keys::GRACEFUL_STOP_TIMEOUT), Some(4 * second));
    assert!(!conf.flag(&keys::STOP_GRACEFULLY_ON_SHUTDOWN));
}

#[test]
fn every_setting_can_be_put_back_to_its_default_by_its_text() {
    let conf = Conf::new().default_parallelism(3).hash_seed(4);
    let conf = keys::KEYS.iter().fold(conf, |conf, key| conf.set(key.name, key.default));
    conf.validate().unwrap();
    assert_eq!((conf.number(&keys::DEFAULT_PARALLELISM), conf.number(&keys::HASH_SEED)), (None, None));
}

#[test]
fn a_secret_is_shown_nowhere() {
    let conf = Conf::new().hash_seed(123_456_789).set("headwater.hash_seed", "987654321x");
    let shown = format!("{conf:?} {} {:?} {}", conf.to_debug_string(), conf.entries(), refused(conf.clone()));
    assert!(!shown.contains("123456789") && !shown.contains("987654321"), "{shown}");
    assert!(format!("{:?}", Conf::new()).contains("\"headwater.hash_seed\": \"random\""));
}
