//! Settings from the real disk and environment, and what they change in a running program.

use headwater::env::{Clock, Connection, Env, Network};
use headwater::prelude::*;
use headwater::testkit::{TemporaryFolder, TestEnv, temporary_folder};
use headwater::{Conf, Error, ErrorKind, Result};
use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

/// Set in the process that runs the body of a test.
const WITHIN: &str = "BODY_OF_A_TEST";

/// Runs `body`, which ends `test` of this file, in a process of its own with `variables` as its environment and
/// `folder` as its working directory.
fn in_a_process(test: &str, folder: &str, variables: &[(&str, &OsStr)], body: impl FnOnce()) {
    if std::env::var_os(WITHIN).is_some() {
        return body();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("conf::{test}"), "--exact"]).current_dir(folder);
    let out = command.env_clear().env(WITHIN, "1").envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&out.stderr));
}

fn folder_with(file: &str, text: &str) -> TemporaryFolder {
    let folder = temporary_folder();
    std::fs::write(format!("{folder}/{file}"), text).unwrap();
    folder
}

#[test]
fn load_reads_the_file_of_the_working_directory_and_the_variables() {
    let folder = folder_with("headwater.toml", "[headwater]\nmaster = 'local[3]'\napp_name = 'from the file'\n");
    let variables = [("HEADWATER_APP_NAME", "from a variable".as_ref())];
    in_a_process("load_reads_the_file_of_the_working_directory_and_the_variables", &folder, &variables, || {
        let text = Conf::load().unwrap().hash_seed(1).to_debug_string();
        let expected = [
            "headwater.master = local[3] (headwater.toml:2)",
            "headwater.app_name = from a variable (environment variable HEADWATER_APP_NAME)",
            "headwater.hash_seed = [redacted] (code at ",
        ];
        assert_eq!(text.lines().count(), expected.len(), "{text}");
        for (line, beginning) in text.lines().zip(expected) {
            assert!(line.starts_with(beginning), "{beginning:?} does not begin {line:?}");
        }
    });
}

#[test]
fn load_reads_the_file_that_a_variable_names_instead() {
    let folder = folder_with("headwater.toml", "headwater.app_name = 'of the working directory'");
    let other = folder_with("spark-defaults.conf", "spark.app.name named\nspark.master local[2]");
    let path = format!("{other}/spark-defaults.conf");
    let variables = [("HEADWATER_CONF", path.as_ref())];
    in_a_process("load_reads_the_file_that_a_variable_names_instead", &folder, &variables, || {
        let conf = Conf::load().unwrap();
        assert_eq!((conf.name(), conf.get("headwater.master").unwrap().as_str()), ("named", "local[2]"));
    });
}

#[test]
fn load_without_file_and_variables_gives_the_defaults() {
    let variables = [("HEADWATER_SERVICE_HOST", "10.0.0.1".as_ref()), ("SPARK_HOME", "/x".as_ref())];
    in_a_process("load_without_file_and_variables_gives_the_defaults", &temporary_folder(), &variables, || {
        assert_eq!(Conf::load().unwrap().to_debug_string(), "");
    });
}

#[test]
fn load_says_which_variable_named_a_file_that_is_not_there() {
    let variables = [("HEADWATER_CONF", "nowhere.toml".as_ref())];
    in_a_process("load_says_which_variable_named_a_file_that_is_not_there", &temporary_folder(), &variables, || {
        let error = Conf::load().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Outside);
        let beginning = "environment variable HEADWATER_CONF: cannot open nowhere.toml";
        assert!(error.to_string().starts_with(beginning), "{error}");
    });
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let variables = [("HEADWATER_MASTER", OsStr::from_bytes(b"local\xff"))];
    in_a_process("a_variable_that_is_not_text_is_named", &temporary_folder(), &variables, || {
        let error = Conf::new().with_environment().unwrap_err().to_string();
        assert_eq!(error, "the value of environment variable HEADWATER_MASTER is not UTF-8 text");
    });
}

#[test]
fn files_that_cannot_be_settings() {
    let folder = temporary_folder();
    let write = |name: &str, bytes: &[u8]| std::fs::write(format!("{folder}/{name}"), bytes).unwrap();
    write("bytes.toml", b"a = \"\xff\"");
    write("large.toml", &vec![b'\n'; (1 << 20) + 1]);
    write("line.toml", b"[headwater]\nmaster = local");
    let cases = [
        ("none.toml", "cannot open "),
        ("bytes.toml", "is not UTF-8 text"),
        ("large.toml", "has more than 1048576 bytes"),
        ("line.toml", "line.toml:2: string values must be quoted"),
    ];
    for (name, part) in cases {
        let error = Conf::new().with_file(&format!("{folder}/{name}")).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains(name), "{name}: {error}");
    }
}

#[test]
fn a_context_is_not_made_with_a_setting_that_was_refused() {
    let made = StreamingContext::new(Conf::new().set("spark.streaming.blockInterval", "200ms"), seconds(1));
    let error = made.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Program);
    let part = "spark.streaming.blockInterval has no counterpart: a receiver cuts its blocks by size";
    assert!(error.to_string().contains(part) && error.to_string().contains("tests/it/conf.rs:"), "{error}");
}

#[test]
fn the_default_parallelism_is_that_of_shuffles_and_not_of_sources() {
    let conf = Conf::new().master("local[2]").default_parallelism(7);
    let ssc = StreamingContext::with_env(conf, seconds(1), TestEnv::new().env()).unwrap();
    let context = ssc.context();
    assert_eq!(context.default_parallelism(), 7);
    let pairs = context.parallelize((0..100u64).map(|n| (n % 10, n)).collect::<Vec<_>>(), 3);
    assert_eq!(pairs.num_partitions(), 3);
    assert_eq!(pairs.reduce_by_key(|a, b| a + b).num_partitions(), 7);
    assert_eq!(pairs.join(&pairs).num_partitions(), 7);
    assert_eq!(pairs.reduce_by_key(|a, b| a + b).with_partitions(4).num_partitions(), 4);
    assert_eq!(pairs.reduce_by_key(|a, b| a + b).count().unwrap(), 10);
}

#[test]
fn a_task_is_tried_as_often_as_the_setting_says() {
    for (failures, conf) in [(4, Conf::new()), (1, Conf::new().task_failures_max(1))] {
        let ssc = StreamingContext::with_env(conf.master("local[1]"), seconds(1), TestEnv::new().env()).unwrap();
        let tried = Arc::new(AtomicUsize::new(0));
        let counted = tried.clone();
        let failing = ssc.context().parallelize(vec![0], 1).map(move |x: u64| {
            counted.fetch_add(1, Ordering::Relaxed);
            1 / x
        });
        let error = failing.collect().unwrap_err().to_string();
        assert!(error.contains(&format!("failed {failures} times")), "{error}");
        assert_eq!(tried.load(Ordering::Relaxed), failures);
    }
}

/// A network on which nobody answers; it sends how long it was told to wait.
struct Silence(Sender<Duration>);
impl Network for Silence {
    fn connect(&self, _host: &str, _port: u16, timeout: Duration) -> Result<Box<dyn Connection>> {
        self.0.send(timeout).unwrap();
        Err(Error::new(ErrorKind::Outside, "nobody answers"))
    }
}

#[test]
fn a_receiver_waits_as_long_as_the_settings_say() {
    let (env, (asked, timeouts)) = (TestEnv::new(), channel());
    let conf = Conf::new().master("local[1]").connect_timeout(seconds(9)).receiver_restart_delay(seconds(3));
    let ssc = StreamingContext::with_env(conf, seconds(1), Env { network: Arc::new(Silence(asked)), ..env.env() });
    let ssc = ssc.unwrap();
    ssc.socket_text_stream("host", 1).print();
    let running = ssc.start().unwrap();
    for pause in [3, 6, 8] {
        assert_eq!(timeouts.recv().unwrap(), seconds(9));
        env.await_warning(&format!("trying again in {pause}s"));
        env.clock.advance(seconds(pause));
    }
    running.stop().unwrap();
}

#[test]
fn a_restart_delay_above_the_longest_pause_stays_as_it_is() {
    let (env, (asked, timeouts)) = (TestEnv::new(), channel());
    let conf = Conf::new().master("local[1]").receiver_restart_delay(seconds(20));
    let ssc = StreamingContext::with_env(conf, seconds(1), Env { network: Arc::new(Silence(asked)), ..env.env() });
    let ssc = ssc.unwrap();
    ssc.socket_text_stream("host", 1).print();
    let running = ssc.start().unwrap();
    for warnings in 1..=3 {
        assert_eq!(timeouts.recv().unwrap(), seconds(5));
        let pauses = || env.warnings().iter().filter(|warning| warning.contains("trying again in 20s")).count();
        env.clock.wait(None, &mut || pauses() == warnings);
        env.clock.advance(seconds(20));
    }
    running.stop().unwrap();
}
