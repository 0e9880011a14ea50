//! Makes a fresh machine fit for `cargo xtask test`: says what is missing, installs it, or says what to do by hand.

use crate::step::{announce, cargo, check, works};
use std::process::Command;

/// The C linker and the two cargo components every step needs.
///
/// Building this program took a linker already, but one kept from an earlier build may run where there is none.
pub(crate) fn build_tools() -> Result<(), String> {
    if !works(Command::new("cc").arg("--version")) {
        apt("a C linker, `cc`", &["gcc", "libc6-dev"])?;
    }
    component("rustfmt", "fmt")?;
    component("clippy", "clippy")
}

/// Valgrind, from the distribution, if it is not there.
pub(crate) fn valgrind() -> Result<(), String> {
    if works(Command::new("valgrind").arg("--version")) { Ok(()) } else { apt("valgrind", &["valgrind"]) }
}

/// Installs a component of the toolchain in use when its cargo subcommand does not answer.
fn component(name: &str, subcommand: &str) -> Result<(), String> {
    if works(&mut cargo(&[subcommand, "--version"])) {
        return Ok(());
    }
    announce(&format!("install {name}: rustup component add {name}"));
    check(Command::new("rustup").args(["component", "add", name])).map_err(|error| {
        format!("{name} is missing and rustup could not add it ({error}); install Rust with rustup, https://rustup.rs")
    })
}

/// Installs distribution packages; as root, or through sudo where that asks for no password.
fn apt(what: &str, packages: &[&str]) -> Result<(), String> {
    let by_hand = format!("{what} is missing; install it with: sudo apt-get install {}", packages.join(" "));
    if !works(Command::new("apt-get").arg("--version")) {
        return Err(format!("{by_hand} (there is no apt-get here: use this system's own installer)"));
    }
    announce(&format!("install {what}: apt-get install {}", packages.join(" ")));
    // A fresh machine has no package lists; a stale list is no reason to give up before the install itself fails.
    if let Err(error) = check(as_root().args(["apt-get", "update", "-qq"])) {
        eprintln!("{error}; going on with the package lists at hand");
    }
    check(as_root().args(["apt-get", "install", "-y", "--no-install-recommends"]).args(packages))
        .map_err(|error| format!("{by_hand} (tried: {error})"))
}

/// `env` when we are root, else `sudo -n`, which fails at once where it would have to ask.
fn as_root() -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let mut command = Command::new(if root { "env" } else { "sudo" });
    command.args(if root { [].as_slice() } else { ["-n"].as_slice() });
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
