//! The lives of the application: each ends by a kill, the last by a signal; then its sink is compared with the truth.

use crate::chance::Chance;
use crate::child::Child;
use crate::options::{Program, RunOptions, Sink, Source, What};
use crate::report::Report;
use crate::sender::Sender;
use crate::stores::{self, Store};
use crate::truth::{self, Until};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Kills come while an application starts, in one of so many lives, or within so many milliseconds behind its first commit.
const STARTS: u64 = 4;
const START_MILLIS: u64 = 150;
const LIFE_MILLIS: u64 = 600;
/// The last life, which is not killed.
const LAST: Duration = Duration::from_secs(2);
/// For what is not acknowledged at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether nothing was lost, doubled or wrong.
pub(crate) fn run(options: &RunOptions) -> Result<bool, String> {
    let RunOptions { what, kills, seed, kill_server } = options;
    if (what.source, what.program) == (Source::Receiver, Program::Window) {
        return Err("what a window has depends on when a receiver got it: use --source rate".to_owned());
    }
    if *kill_server && matches!(what.sink, Sink::Files | Sink::Sqlite) {
        return Err(format!("--kill-server: the sink {} has no server to kill", what.sink));
    }
    let seed =
        seed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64);
    println!("--source {} --sink {} --program {} --kills {kills} --seed {seed}", what.source, what.sink, what.program);
    let folder = Folder::new(seed)?;
    let store = match stores::open(what.sink, &folder.0) {
        Ok(store) => store,
        Err(error) => {
            // Nothing has run in it.
            folder.remove();
            return Err(error);
        }
    };
    let sender = (what.source == Source::Receiver).then(Sender::start).transpose()?;
    let arguments = arguments(what, &folder.0, &*store, sender.as_ref().map_or(0, |sender| sender.port));
    let mut lives =
        Lives { what, arguments, store: &*store, chance: Chance(seed), restarts: Vec::new(), unbalanced: 0 };
    for kill in 0..*kills {
        lives.one(*kill_server && kill % 2 == 1)?;
    }
    let until = lives.last(sender)?;
    let rows = store.rows()?;
    println!("{} rows behind {} starts", rows.len(), kills + 1);
    let mut difference = truth::compare(what.program, &rows, until);
    difference.wrong += lives.unbalanced;
    let report = Report { kills: *kills, difference, restarts: lives.restarts };
    let is_right = report.print();
    if is_right {
        drop(store);
        folder.remove();
    }
    Ok(is_right)
}

fn arguments(what: &What, dir: &str, store: &dyn Store, port: u16) -> Vec<String> {
    let (source, sink, program) = (what.source.to_string(), what.sink.to_string(), what.program.to_string());
    let named = [("--source", source), ("--sink", sink), ("--program", program), ("--dir", dir.to_owned())];
    let mut arguments: Vec<String> = named.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    arguments.extend(["--port".to_owned(), port.to_string(), format!("--server={}", store.server())]);
    arguments
}

struct Lives<'a> {
    what: &'a What,
    arguments: Vec<String>,
    store: &'a dyn Store,
    chance: Chance,
    restarts: Vec<Duration>,
    /// Batches that a reader saw out of balance between two lives.
    unbalanced: u64,
}
impl Lives<'_> {
    /// A life that ends by a kill.
    fn one(&mut self, kills_server: bool) -> Result<(), String> {
        let mut child = Child::start(&self.arguments)?;
        let during_start = self.chance.below(STARTS) == 0;
        let (start, life) = (self.chance.below(START_MILLIS), self.chance.below(LIFE_MILLIS));
        let patience = during_start.then(|| Duration::from_millis(start));
        if let Some(restart) = child.committed_within(patience)? {
            self.restarts.push(restart);
            let server = self.chance.below(life.max(1));
            std::thread::sleep(Duration::from_millis(server));
            if kills_server {
                self.store.kill_server()?;
            }
            std::thread::sleep(Duration::from_millis(life - server));
        }
        child.kill()?;
        if self.what.program == Program::Money {
            // What a reader sees at a bad moment adds up, too.
            self.unbalanced += truth::unbalanced(&self.store.rows()?);
        }
        Ok(())
    }
    /// The last life, to its end.
    fn last(&mut self, sender: Option<Sender>) -> Result<Until, String> {
        let mut child = Child::start(&self.arguments)?;
        self.restarts.extend(child.committed_within(None)?);
        std::thread::sleep(LAST);
        let numbers = sender.map(|sender| sender.end(PATIENCE)).transpose()?;
        let last = child.stop()?;
        Ok(numbers.map_or(Until::Batch(last), Until::Number))
    }
}

/// A folder of its own, which is left, for whoever looks into what went wrong, unless it is removed.
struct Folder(String);
impl Folder {
    fn new(seed: u64) -> Result<Folder, String> {
        let path = std::env::temp_dir().join(format!("headwater-kill-test-{}-{seed}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Folder(path.to_string_lossy().into_owned()))
    }
    fn remove(mut self) {
        // What cannot be removed does no harm.
        let _removed = std::fs::remove_dir_all(std::mem::take(&mut self.0));
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            eprintln!("{} is left, with the checkpoint folder and what the sink has", self.0);
        }
    }
}
