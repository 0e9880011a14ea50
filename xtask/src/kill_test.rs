//! `cargo xtask kill-test`: an application that is killed again and again, and what its sink has then beside the truth.

use crate::step::{cargo, check};

/// What `cargo xtask test` runs, with five kills each: for people there are as many as they like.
const IN_TEST: [&[&str]; 9] = [
    &["--program", "stateless"],
    &["--program", "window"],
    &["--program", "state"],
    &["--program", "money"],
    &["--program", "state", "--source", "receiver"],
    &["--program", "money", "--sink", "sqlite"],
    &["--program", "money", "--sink", "postgres", "--kill-server"],
    &["--program", "money", "--sink", "mysql", "--kill-server"],
    &["--program", "money", "--sink", "redis", "--kill-server"],
];

/// The options are those of the package `kill-test`, which says what there is; a sink is a feature of it.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let features = sink(options).filter(|sink| *sink != "files").map_or(Vec::new(), |sink| vec!["--features", sink]);
    let mut command = cargo(&["run", "--quiet", "--package", "kill-test"]);
    check(command.args(features).args(["--", "run"]).args(options))
}

/// What stands behind `--sink`, or `--sink=`.
fn sink<'a>(options: &[&'a str]) -> Option<&'a str> {
    let next = options.iter().skip(1).chain([&""]);
    let given = options.iter().zip(next).map(|(option, next)| match *option {
        "--sink" => Some(*next),
        option => option.strip_prefix("--sink="),
    });
    given.flatten().last()
}

pub(crate) fn in_test() -> Result<(), String> {
    IN_TEST.iter().try_for_each(|options| run(&[options, &["--kills", "5"][..]].concat()))
}

#[cfg(test)]
mod tests {
    use super::sink;

    #[test]
    fn the_sink_is_found_in_both_forms() {
        assert_eq!(sink(&["--program", "money", "--sink", "redis", "--kills", "5"]), Some("redis"));
        assert_eq!(sink(&["--sink=mysql", "--kill-server"]), Some("mysql"));
        assert_eq!(sink(&["--program", "money"]), None);
    }
}
