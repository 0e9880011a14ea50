//! The page `docs/configuration.md`, made from the table of keys. It is written anew by
//! `REWRITE=1 cargo test -p headwater-runtime configuration_page`, and a test compares it.
#![allow(clippy::disallowed_methods, reason = "a test that reads and writes the page")]

use super::key::Kind;
use super::keys::KEYS;
use super::spark::ABSENT;
use std::fmt::Write;

const BEGINNING: &str = "\
# Configuration

<!-- Made from crates/runtime/src/conf/keys.rs by `REWRITE=1 cargo test -p headwater-runtime configuration_page`. -->

A setting has a key, and comes from the strongest source that sets it, in whichever order they are read:

| strength | source | read by |
|---|---|---|
| 4 | code: a method of `Conf`, whose name is the key's last part, or `Conf::set(key, value)` | |
| 3 | an environment variable: the key in capitals with `_` for `.` | `Conf::load`, `Conf::with_environment` |
| 2 | a file: the one that the variable `HEADWATER_CONF` names, else `headwater.toml` in the working directory; or any other | `Conf::load`; `Conf::with_file` |
| 1 | the default | |

`Conf::new()` reads neither disk nor environment. `Conf::entries()` and `Conf::to_debug_string()` say what is set and where.

A file is TOML if its name ends with `.toml`, with tables for the parts of keys:

```toml
";

/// The file that the page shows; a test reads it.
const EXAMPLE: &str = "\
[headwater]
master = \"local[4]\"

[headwater.streaming]
concurrent_jobs = 2
line_bytes_max = \"64k\"
connect_timeout = \"2s\"
";

/// The other form of it, which means the same.
const SPARK_EXAMPLE: &str = "\
spark.master                            local[4]
spark.streaming.concurrentJobs          2
headwater.streaming.line_bytes_max      64k
headwater.streaming.connect_timeout     2s
";

const REST: &str = "\
A duration is a whole number with `us`, `ms`, `s`, `m` or `min`, `h` or `d`, a size one with `k`, `m`, `g`, `t` or `p` for powers of 1,024. A plain number means milliseconds or bytes.

What cannot be is an error that names the place: an unknown key or variable, a value out of range, a key twice in one file, a file of more than 1 MiB. Variables that begin with `HEADWATER_` and have a part `SERVICE` or `PORT` are left alone: Kubernetes sets them for a service called headwater.

## Keys
";

/// With the unit of a plain number.
fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Word(_) | Kind::Master => "text",
        Kind::Number { .. } | Kind::NumberOr { .. } => "number",
        Kind::Size { .. } => "size, bytes",
        Kind::Duration { .. } | Kind::DurationOr { .. } => "duration, ms",
        Kind::Flag => "flag",
    }
}

fn page() -> String {
    let mut page = format!(
        "{BEGINNING}{EXAMPLE}```\n\nIf its name ends with `.conf` or `.properties`, it has the form of Spark's \
         `spark-defaults.conf`, without continued lines. In both, and in `Conf::set`, Spark's own name of a key can \
         be used where there is one:\n\n```text\n{SPARK_EXAMPLE}```\n\n{REST}\n"
    );
    page.push_str("| key | type | default | range | environment variable | Spark's key | meaning |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    for key in KEYS {
        let (name, variable, default) = (key.name, key.variable(), key.default);
        let (kind, range, meaning) = (type_name(&key.kind), key.kind.range(), key.meaning);
        let spark = key.spark.map_or(String::new(), |spark| format!("`{spark}`"));
        writeln!(page, "| `{name}` | {kind} | `{default}` | {range} | `{variable}` | {spark} | {meaning} |")
            .expect("text can be written");
    }
    page.push_str(
        "\n## Spark's keys without a counterpart\n\nTo set one of these is an error that gives the reason.\n\n",
    );
    page.push_str("| Spark's key | why there is none |\n|---|---|\n");
    for absent in ABSENT {
        let keys: Vec<String> = absent.keys.iter().map(|key| format!("`{key}`")).collect();
        writeln!(page, "| {} | {} |", keys.join(" "), absent.why).expect("text can be written");
    }
    page
}

#[test]
fn the_configuration_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/configuration.md is out of date: REWRITE=1 cargo test -p headwater-runtime configuration_page"
    );
}

#[test]
fn the_files_on_the_configuration_page_are_read_and_mean_the_same() {
    let values = |path, text| {
        let conf = super::Conf::from_sources(Some((path, text)), [("", ""); 0]).unwrap();
        conf.entries().into_iter().map(|entry| (entry.key, entry.value)).collect::<Vec<_>>()
    };
    let (toml, spark) = (values("a.toml", EXAMPLE), values("a.conf", SPARK_EXAMPLE));
    assert_eq!(toml, spark);
    assert!(toml.contains(&("headwater.streaming.connect_timeout", "2s".to_owned())));
}
