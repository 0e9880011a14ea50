//! What the command line says.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fmt;

/// Kills an application at random moments, starts it again, and compares what its sink has with the truth.
#[derive(Parser)]
#[command(name = "kill-test")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs the test; the last line says what was lost, doubled or wrong.
    Run(RunOptions),
    /// The application that is killed; started by `run`.
    #[command(hide = true)]
    Application(ApplicationOptions),
}

#[derive(Args, Clone)]
pub(crate) struct What {
    /// Where the records come from.
    #[arg(long, value_enum, default_value_t = Source::Rate)]
    pub(crate) source: Source,
    /// Where they go.
    #[arg(long, value_enum, default_value_t = Sink::Files)]
    pub(crate) sink: Sink,
    /// What becomes of them on the way.
    #[arg(long, value_enum, default_value_t = Program::State)]
    pub(crate) program: Program,
}

#[derive(Args, Clone)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) what: What,
    /// How often the application is killed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) kills: u32,
    /// For the moments: the same seed chooses the same ones.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Kills the sink's server too, as often.
    #[arg(long)]
    pub(crate) kill_server: bool,
}

#[derive(Args, Clone)]
pub(crate) struct ApplicationOptions {
    #[command(flatten)]
    pub(crate) what: What,
    /// The folder of the test.
    #[arg(long)]
    pub(crate) dir: String,
    /// The sink's server.
    #[arg(long, default_value = "")]
    pub(crate) server: String,
    /// Where the sender listens, for the source `receiver`.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// `rate_stream`: each record a function of its number.
    Rate,
    /// `reliable_socket_text_stream`, from a sender that keeps what is not acknowledged.
    Receiver,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sink {
    /// JSON lines, a folder a batch.
    Files,
    /// A table of SQLite, appended to.
    Sqlite,
    /// The same of PostgreSQL, a server of the test's own.
    Postgres,
    /// The same of MySQL or MariaDB.
    Mysql,
    /// A stream of Redis.
    Redis,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Program {
    /// Each record by itself.
    Stateless,
    /// Sums by key of the last second, told with every batch, by `reduce_by_key_and_window_inverse`.
    Window,
    /// How many records a key has had, told with each, by `map_with_state`.
    State,
    /// Transfers between accounts, and all balances with every batch, by `update_state_by_key`.
    Money,
}

macro_rules! shown_as_on_the_command_line {
    ($($of:ty),*) => {$(
        impl fmt::Display for $of {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(self.to_possible_value().expect("no value is hidden").get_name())
            }
        }
    )*};
}
shown_as_on_the_command_line!(Source, Sink, Program);
