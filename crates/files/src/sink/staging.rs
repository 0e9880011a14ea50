//! [`Staging`]: the hidden folder in which an output's files lie until they are committed, and [`Run`], the door in it that
//! one process at a time has.
//!
//! ```text
//! PARENT/_headwater/KEY/            of one output at one place
//!     prepared/MS/UNIQUE/           what one attempt of a task has written
//!     runs/UNIQUE/                  the process that may commit
//!     ledger                        the newest batch of each application
//!     garbage/                      on its way out
//! ```
//!
//! **The door.** Whatever a process makes visible it renames first into its folder below `runs`, and from there to where
//! it is seen. The process that comes next makes a folder of its own, renames those of all others away, and only then looks
//! at what is committed. So an old process that was paused anywhere, and goes on, either was done before, or finds that
//! its folder is not there: a rename is one step, and no clock or lock is needed. Who is the next is not a question of
//! applications: without a checkpoint folder each process is an application of its own.
//!
//! What tasks have prepared lies elsewhere, since a task on a worker does not know of the runs; what is at fault there is
//! an attempt that nobody asks for, and it goes with its batch or with the next process.

use super::disk::Disk;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};

/// Readers of Hadoop, Spark and Headwater pass over names that begin like this.
const HIDDEN: &str = "_headwater";
/// Of the names of output and place in the name of a folder, for people; a hash makes it unique.
const NAME_CHARS_MAX: usize = 60;

/// How often something is thrown away anew, where others throw away at the same time.
const TRIES_MAX: usize = 8;

/// The hidden folder of one output at one place.
pub(crate) struct Staging {
    pub(crate) path: String,
}

impl Staging {
    /// That of the output `operator` in `parent`, where what is written is called `name`.
    pub(crate) fn new(parent: &str, name: &str, operator: &str) -> Staging {
        let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
        let shown: String = format!("{name}-{operator}").chars().map(plain).take(NAME_CHARS_MAX).collect();
        let hash = fnv1a(&[name, "\0", operator].concat());
        Staging { path: format!("{parent}/{HIDDEN}/{shown}-{hash:016x}") }
    }
    /// Those of all outputs in `parent`.
    pub(crate) fn all(disk: Disk<'_>, parent: &str) -> Result<Vec<Staging>> {
        let hidden = format!("{parent}/{HIDDEN}");
        let folders = disk.list_if_there(&hidden)?.into_iter();
        Ok(folders.map(|folder| Staging { path: format!("{hidden}/{}", folder.name) }).collect())
    }
    /// What tells it from others.
    pub(crate) fn hash(&self) -> &str {
        self.path.rsplit('-').next().unwrap_or_default()
    }
    /// A folder that no other attempt of any process has, for what a task writes.
    pub(crate) fn new_attempt(&self, disk: Disk<'_>, time: Time) -> Result<String> {
        disk.create_unique_folder(&self.prepared(time))
    }
    /// All that was prepared for a batch.
    pub(crate) fn prepared(&self, time: Time) -> String {
        format!("{}/prepared/{}", self.path, time.milliseconds())
    }
    /// Makes this process the one that commits, and throws away what others have prepared.
    pub(crate) fn take_over(&self, disk: Disk<'_>) -> Result<Run> {
        disk.create_folder_durably(&self.path)?;
        let run = Run { path: disk.create_unique_folder(&self.runs())? };
        let moved = self.with_bin(disk, |bin| {
            for other in disk.list(&self.runs())? {
                let path = format!("{}/{}", self.runs(), other.name);
                if path != run.path {
                    moved_away(disk, &path, &format!("{bin}/run-{}", other.name))?;
                }
            }
            moved_away(disk, &format!("{}/prepared", self.path), &format!("{bin}/prepared"))?;
            // With what earlier ones have left.
            disk.remove_folder(&self.garbage())
        });
        match moved {
            Ok(()) if disk.exists(&run.path)? => Ok(run),
            moved => {
                let gone = || Error::program(format!("{} is gone", run.path));
                Err(self.cause(disk, &run, moved.err().unwrap_or_else(gone)))
            }
        }
    }
    /// Removes what the tasks of a batch have left, known by its time alone: while the door is this process's, for behind it
    /// another may prepare the same batch.
    pub(crate) fn abandon(&self, disk: Disk<'_>, run: &Run, time: Time) -> Result<()> {
        match disk.exists(&run.path)? {
            true => disk.remove_folder(&self.prepared(time)),
            false => Ok(()),
        }
    }
    /// Removes what another process may still write to.
    pub(crate) fn discard(&self, disk: Disk<'_>, path: &str) -> Result<()> {
        self.with_bin(disk, |bin| {
            moved_away(disk, path, &format!("{bin}/it"))?;
            disk.remove_folder(bin)
        })
    }
    /// Moves something into a new folder that is to be removed. Another process that starts now may remove that folder, or
    /// make one beside it, at any moment; then it is tried again.
    fn with_bin(&self, disk: Disk<'_>, body: impl Fn(&str) -> Result<()>) -> Result<()> {
        let mut tries = 1;
        loop {
            match disk.create_unique_folder(&self.garbage()).and_then(|bin| body(&bin)) {
                Err(error) if error.kind() == ErrorKind::Program && tries < TRIES_MAX => tries += 1,
                done => return done,
            }
        }
    }
    /// Why the step of a run has failed: where another process has taken over, that is it.
    pub(crate) fn cause(&self, disk: Disk<'_>, run: &Run, error: Error) -> Error {
        match (disk.exists(&run.path), disk.exists(&self.runs())) {
            (Ok(false), Ok(false)) => Error::program(format!(
                "{} was removed while the program ran: leave hidden folders alone, and start the program again ({error})",
                self.path
            )),
            (Ok(false), Ok(true)) => {
                let message = format!(
                    "another application, or another process of this one, has taken over {}, by way of which this output \
                     writes: an output has one writer at a place. End the other one; or, if both shall write, give one of \
                     the two outputs another name by `.uid(\"...\")`",
                    self.path
                );
                Error::new(ErrorKind::Fenced, message)
            }
            _ => error,
        }
    }
    fn garbage(&self) -> String {
        format!("{}/garbage", self.path)
    }
    fn runs(&self) -> String {
        format!("{}/runs", self.path)
    }
}

/// The right of a process to make files visible, until the next one takes it.
pub(crate) struct Run {
    /// A folder that is there for as long.
    pub(crate) path: String,
}

/// Renames what may be gone already, by another process that starts now.
fn moved_away(disk: Disk<'_>, from: &str, to: &str) -> Result<()> {
    match disk.rename(from, to) {
        Err(error) if disk.exists(from)? => Err(error),
        _ => Ok(()),
    }
}

/// A hash that is the same in every release (FNV-1a).
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_and_place_has_a_folder_of_its_own_whatever_its_name() {
        let path = |name: &str, operator: &str| Staging::new("out", name, operator).path;
        let paths = [
            path("counts", "words/a:b"),
            path("counts", "words/a/b"),
            path("counts-words", "a:b"),
            path("counts", &"x".repeat(500)),
            path("counts", &"x".repeat(501)),
        ];
        for (at, one) in paths.iter().enumerate() {
            assert!(paths[..at].iter().all(|other| other != one), "{paths:?}");
            assert!(one.len() < 120 && one.starts_with("out/_headwater/counts-"), "{one}");
            assert_eq!(one.matches('/').count(), 2, "{one}");
        }
    }

    /// The name is in folders that a later release must find again.
    #[test]
    fn the_name_stays_the_same() {
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        let path = Staging::new(".", "counts", "words").path;
        assert_eq!(path, format!("./_headwater/counts-words-{:016x}", fnv1a("counts\0words")));
    }
}
