//! The command line. Each error names the value it does not like and what to write instead.

use crate::store::Store;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
usage: cargo run --release -p limits -- NAME [--local N] [--input FILE…] [--json]

NAME is one of
  word-count   count words: flat_map, map, reduce_by_key     beside one loop and one hash map
  grep         count lines that contain a string             beside memchr::memmem on each line
  chain        1, 3 and 10 map and filter operators on u64   beside one fused loop
  shuffle      reduce_by_key and group_by_key on u64 pairs   beside one loop and one hash map
  state        map_with_state and update_state_by_key        beside one loop and one hash map
  timeouts     map_with_state whose keys time out            beside a hash map and a queue of deadlines
  window       reduce_by_key_and_window, 10 s every 1 s      beside a ring of batches and one hash map
  idle         what a stream without input costs             seconds, no loop to compare with
  start-up     from nothing to the first result              seconds, no loop to compare with
  durable      batches that are committed to the disk        beside a loop that appends and syncs
  dead-letters lines of which 1 % is set aside               beside the same without bad lines
  sink         word counts written exactly once, into files  beside the same printed to nowhere
  sink --to sqlite, postgres or mysql
               rows appended and upserted exactly once       beside a loop over the same driver; in a build
                                                             with --features sql
  recovery     from a kill -9 to the next batch              seconds, no loop to compare with

  --local N      threads for the engine and for the loops (default 1)
  --input FILE…  measure these texts instead of generated ones (word-count, grep)
  --json         one JSON object per row instead of the table
  --mb N         size of generated texts in MB (default 64)
  --records N    records of chain and shuffle (default 20000000), of dead-letters (default 10000000), or of a
                 batch of window (default 500000)
  --keys N       keys of state, timeouts, window and recovery (default 1000000; timeouts also takes a tenth of them,
                 window takes 100000 and 1000000 by default)
  --updates N    records of a batch of state (default 100000)
  --memory-max MB  state has so much memory, and the rest of it goes to disk: seconds of a batch, and memory
  --durable      state with a checkpoint folder, beside the same without one
  --dir DIR      where durable, recovery, dead-letters, sink and state --durable have their folders (default: the current directory)
  --to STORE     sink writes to files (the default), sqlite, postgres or mysql
  --url URL      the server of sink --to postgres and --to mysql
  --no-inverse   window without an inverse function, beside two stacks for each key
  --batches N    batches of idle at each interval (default 5000)
  --rounds N     rounds of which the best counts (default 5)

Contenders run in turns, in rotating order. Times are of the best round: CPU time of the process with --local 1, which
other programs disturb least, and wall time with more threads, and with databases. The ratio is the loop's time by ours, so above 1.00 the
engine is faster. MB are peaks of memory above what was resident before the row, true to about 64 MB. The last line,
also after --json, is `NAME: R of limit` with the worst ratio of the rows that count, or `NAME: V s` with the longest
time. Batches of state, timeouts and window are there before the clock starts, follow one another without a pause, and
cost what all threads take; the loops beside them run on one thread. Rows are told on the error output when they are there.";

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Name {
    WordCount,
    Grep,
    Chain,
    Shuffle,
    State,
    Timeouts,
    Window,
    Idle,
    StartUp,
    Durable,
    DeadLetters,
    Sink,
    Recovery,
}

impl Name {
    const ALL: [Name; 13] = [
        Name::WordCount,
        Name::Grep,
        Name::Chain,
        Name::Shuffle,
        Name::State,
        Name::Timeouts,
        Name::Window,
        Name::Idle,
        Name::StartUp,
        Name::Durable,
        Name::DeadLetters,
        Name::Sink,
        Name::Recovery,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Name::WordCount => "word-count",
            Name::Grep => "grep",
            Name::Chain => "chain",
            Name::Shuffle => "shuffle",
            Name::State => "state",
            Name::Timeouts => "timeouts",
            Name::Window => "window",
            Name::Idle => "idle",
            Name::StartUp => "start-up",
            Name::Durable => "durable",
            Name::DeadLetters => "dead-letters",
            Name::Sink => "sink",
            Name::Recovery => "recovery",
        }
    }

    fn takes_text(self) -> bool {
        matches!(self, Name::WordCount | Name::Grep)
    }

    fn has_state(self) -> bool {
        matches!(self, Name::State | Name::Timeouts | Name::Window | Name::Recovery)
    }

    fn may_be_durable(self) -> bool {
        matches!(self, Name::State | Name::Durable | Name::DeadLetters | Name::Sink | Name::Recovery)
    }
}

/// The defaults are those of [`HELP`].
#[derive(Debug, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) name: Name,
    /// Threads, for the engine and for the loops.
    pub(crate) local: usize,
    /// Texts to measure; empty for generated ones.
    pub(crate) input: Vec<PathBuf>,
    pub(crate) json: bool,
    pub(crate) megabytes: usize,
    /// Of chain, shuffle and dead-letters, or of a batch of window.
    pub(crate) records: usize,
    /// Of state, timeouts and window; none for those that they choose.
    pub(crate) keys: Option<usize>,
    /// Records of a batch of state.
    pub(crate) updates: usize,
    /// MB that state may take; none for all of it.
    pub(crate) memory_max: Option<usize>,
    /// Whether state has a checkpoint folder.
    pub(crate) durable: bool,
    /// Where folders are made; none for the current directory.
    pub(crate) dir: Option<PathBuf>,
    /// What sink writes to.
    pub(crate) to: Store,
    /// The address of its server.
    pub(crate) url: Option<String>,
    /// Whether windows take away what leaves them.
    pub(crate) inverse: bool,
    pub(crate) batches: usize,
    pub(crate) rounds: usize,
}

impl Default for Arguments {
    fn default() -> Arguments {
        let (name, local, input, json) = (Name::WordCount, 1, Vec::new(), false);
        let (megabytes, records, keys, updates, inverse) = (64, 20_000_000, None, 100_000, true);
        let (batches, rounds) = (5000, 5);
        let (memory_max, durable, dir, to, url) = (None, false, None, Store::Files, None);
        Arguments {
            name,
            local,
            input,
            json,
            megabytes,
            records,
            keys,
            updates,
            memory_max,
            durable,
            dir,
            to,
            url,
            inverse,
            batches,
            rounds,
        }
    }
}

impl Arguments {
    pub(crate) fn parse(words: &[String]) -> Result<Arguments, String> {
        let (first, rest) = words.split_first().ok_or("no NAME given; see --help")?;
        let name = Name::ALL.into_iter().find(|name| name.as_str() == first).ok_or_else(|| {
            format!("nothing to measure is called `{first}`; use one of {}", Name::ALL.map(Name::as_str).join(", "))
        })?;
        let records = match name {
            Name::Window => 500_000,
            Name::DeadLetters => 10_000_000,
            _ => 20_000_000,
        };
        let mut arguments = Arguments { name, records, ..Arguments::default() };
        let mut rest = rest.iter().map(String::as_str).peekable();
        while let Some(option) = rest.next() {
            match option {
                "--local" => arguments.local = number(option, rest.next())?,
                "--mb" => arguments.megabytes = number(option, rest.next())?,
                "--records" => arguments.records = number(option, rest.next())?,
                "--keys" if !name.has_state() => {
                    return Err(format!(
                        "--keys is for state, timeouts, window and recovery; {first} has none to choose"
                    ));
                }
                "--keys" => arguments.keys = Some(number(option, rest.next())?),
                "--updates" if name != Name::State => {
                    return Err(format!("--updates is for state; {first} has none"));
                }
                "--updates" => arguments.updates = number(option, rest.next())?,
                "--memory-max" if name != Name::State => {
                    return Err(format!("--memory-max is for state; {first} does not go to disk"));
                }
                "--memory-max" => arguments.memory_max = Some(number(option, rest.next())?),
                "--durable" if name != Name::State => {
                    return Err(format!("--durable is for state; {first} has no such choice"));
                }
                "--durable" => arguments.durable = true,
                "--dir" if !name.may_be_durable() => {
                    return Err(format!(
                        "--dir is for durable, recovery, dead-letters, sink and state --durable; {first} has no such folder"
                    ));
                }
                "--dir" => {
                    let dir = rest.next().ok_or("--dir needs a folder, as in --dir /tmp")?;
                    arguments.dir = Some(PathBuf::from(dir));
                }
                "--to" | "--url" if name != Name::Sink => {
                    return Err(format!("{option} is for sink; {first} writes to no store"));
                }
                "--to" => arguments.to = Store::parse(rest.next())?,
                "--url" => {
                    let url =
                        rest.next().ok_or("--url needs an address, as in --url postgres://user@localhost/database")?;
                    arguments.url = Some(url.to_string());
                }
                "--no-inverse" if name != Name::Window => {
                    return Err(format!("--no-inverse is for window; {first} has no windows"));
                }
                "--no-inverse" => arguments.inverse = false,
                "--batches" => arguments.batches = number(option, rest.next())?,
                "--rounds" => arguments.rounds = number(option, rest.next())?,
                "--json" => arguments.json = true,
                "--input" if !name.takes_text() => {
                    return Err(format!("--input is for word-count and grep; {first} makes its own records"));
                }
                "--input" => {
                    while let Some(file) = rest.next_if(|word| !word.starts_with("--")) {
                        arguments.input.push(PathBuf::from(file));
                    }
                    if arguments.input.is_empty() {
                        return Err("--input needs at least one file".to_string());
                    }
                }
                _ => return Err(format!("no option is called `{option}`; see --help")),
            }
        }
        arguments.to.check_url(arguments.url.as_deref())?;
        Ok(arguments)
    }
}

/// All numbers here count something that must be there, so zero is an error too.
fn number(option: &str, value: Option<&str>) -> Result<usize, String> {
    let value = value.ok_or_else(|| format!("{option} needs a number, as in {option} 2"))?;
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{option} takes a whole number of 1 or more, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(&line.split_whitespace().map(str::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn all_options() {
        let arguments = parse("word-count --local 2 --input a.txt b.txt --json --rounds 3").unwrap();
        assert_eq!((arguments.name, arguments.local, arguments.rounds), (Name::WordCount, 2, 3));
        assert_eq!(arguments.input, [PathBuf::from("a.txt"), PathBuf::from("b.txt")]);
        assert!(arguments.json);
    }

    #[test]
    fn windows_have_defaults_of_their_own() {
        let (window, chain) = (parse("window --no-inverse").unwrap(), parse("chain").unwrap());
        assert_eq!((window.records, window.inverse, window.keys), (500_000, false, None));
        assert_eq!((chain.records, chain.inverse), (20_000_000, true));
        let state = parse("state --keys 5000 --updates 70").unwrap();
        assert_eq!((state.keys, state.updates), (Some(5000), 70));
    }

    #[test]
    fn errors_name_the_value_and_the_fix() {
        let message = |line| parse(line).unwrap_err();
        assert!(message("wordcount").starts_with("nothing to measure is called `wordcount`; use one of word-count, "));
        assert_eq!(message("grep --local two"), "--local takes a whole number of 1 or more, not `two`");
        assert_eq!(message("grep --local 0"), "--local takes a whole number of 1 or more, not `0`");
        assert_eq!(message("grep --local"), "--local needs a number, as in --local 2");
        assert_eq!(message("grep --input --json"), "--input needs at least one file");
        assert_eq!(message("chain --input a"), "--input is for word-count and grep; chain makes its own records");
        assert_eq!(
            message("shuffle --keys 7"),
            "--keys is for state, timeouts, window and recovery; shuffle has none to choose"
        );
        assert_eq!(message("window --updates 7"), "--updates is for state; window has none");
        assert_eq!(
            message("grep --dir /tmp"),
            "--dir is for durable, recovery, dead-letters, sink and state --durable; grep has no such folder"
        );
        assert_eq!(message("recovery --durable"), "--durable is for state; recovery has no such choice");
        assert_eq!(message("state --no-inverse"), "--no-inverse is for window; state has no windows");
        assert_eq!(message("state --to sqlite"), "--to is for sink; state writes to no store");
        assert_eq!(message("sink --to"), "--to needs a store, as in --to sqlite");
        assert_eq!(message("sink --to kafka"), "--to takes one of files, sqlite, postgres, mysql, not `kafka`");
        let no_server = "--url is for --to postgres and --to mysql; files has no server";
        assert_eq!(message("sink --url mysql://localhost/test"), no_server);
        assert_eq!(message("grep --fast"), "no option is called `--fast`; see --help");
    }
}
