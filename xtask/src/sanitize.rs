//! `cargo xtask sanitize`: the tests of headwater-core, which holds all unsafe code, under two tools that see what the
//! compiler cannot: AddressSanitizer (out of bounds, use after free, leaks) and valgrind (uninitialised memory too).

use crate::install;
use crate::step::{announce, cargo, check, root, works};
use std::env;
use std::path::PathBuf;
use std::process::Command;

const PACKAGE: &str = "headwater-core";

/// Valgrind runs a program some thirty times slower, so property tests try fewer cases unless the user says otherwise.
const PROPTEST_CASES: &str = "16";

/// Leaks count only when nothing points to them any more: the standard library keeps a few blocks to the end on purpose.
const VALGRIND: &str = "valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite";

/// Filters are names of tests or modules, as `cargo test` takes them; none runs all.
pub(crate) fn run(filters: &[&str]) -> Result<(), String> {
    let host = host()?;
    announce("AddressSanitizer");
    address_sanitizer(&host, filters).map_err(|error| format!("AddressSanitizer: {error}"))?;
    announce("valgrind");
    valgrind(&host, filters).map_err(|error| format!("valgrind: {error}"))
}

fn address_sanitizer(host: &str, filters: &[&str]) -> Result<(), String> {
    if !works(Command::new("rustup").args(["run", "nightly", "cargo", "--version"])) {
        return Err("it needs the nightly toolchain; get it with: \
            rustup toolchain install nightly --profile minimal"
            .to_string());
    }
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "test", "--package", PACKAGE, "--lib", "--target", host]);
    command.arg("--target-dir").arg(target_folder().join("sanitize")).arg("--").args(filters);
    command.current_dir(root()).env("RUSTFLAGS", "-Zsanitizer=address").env("ASAN_OPTIONS", "detect_leaks=1");
    check(&mut command)
}

fn valgrind(host: &str, filters: &[&str]) -> Result<(), String> {
    install::valgrind()?;
    let mut command = cargo(&["test", "--package", PACKAGE, "--lib", "--"]);
    command.args(filters).env(runner_variable(host), VALGRIND);
    if env::var_os("PROPTEST_CASES").is_none() {
        command.env("PROPTEST_CASES", PROPTEST_CASES);
    }
    check(&mut command)
}

/// The variable through which cargo starts test programs by way of another program.
fn runner_variable(host: &str) -> String {
    format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace(['-', '.'], "_"))
}

/// Where cargo builds; its own folder keeps sanitized and plain builds from throwing each other away.
fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The triple of this machine, which AddressSanitizer's build must name so that build scripts stay unsanitized.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("cannot start rustc: {error}"))?;
    host_in(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "rustc -vV names no host".to_string())
}

fn host_in(version: &str) -> Option<String> {
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_from_the_version() {
        assert_eq!(host_in("rustc 1.95.0\nhost: aarch64-unknown-linux-gnu\n").unwrap(), "aarch64-unknown-linux-gnu");
        assert_eq!(host_in("rustc 1.95.0\n"), None);
    }

    #[test]
    fn the_runner_is_set_as_cargo_spells_it() {
        assert_eq!(runner_variable("x86_64-unknown-linux-gnu"), "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER");
    }
}
