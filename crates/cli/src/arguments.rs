//! The command line.

use clap::{Args, Parser, Subcommand};

/// Looks into what Headwater applications keep.
#[derive(Parser)]
#[command(name = "headwater", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Looks into a checkpoint folder. The application that runs there goes on: nothing is taken over, locked or written, but
    /// by `cut --yes`.
    ///
    /// Exit codes: 0 done, 1 something is damaged, 2 it cannot be done (no such folder, no checkpoint in it, written by a
    /// newer release, in use), 3 it was not told `--yes`.
    Checkpoint {
        #[command(subcommand)]
        command: Checkpoint,
    },
    /// Records that operators set aside because their closures failed.
    ///
    /// The application goes on: nothing is taken over or locked. `re-drive` and `drop` leave a request in the folder, which
    /// the program that runs there carries out, or the next one at its start.
    ///
    /// Exit codes: 0 done, 1 something is damaged, 2 it cannot be done (no such folder, no such letter, ...).
    DeadLetters {
        #[command(subcommand)]
        command: DeadLetters,
    },
}

#[derive(Subcommand)]
pub(crate) enum DeadLetters {
    /// Lists them, a line each: those of batches that are committed, in the order in which they lie on disk.
    List {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// Only those of this operator.
        #[arg(long, value_name = "ID")]
        operator: Option<String>,
        /// For machines: one JSON object a line. Times are milliseconds since 1970.
        #[arg(long)]
        json: bool,
    },
    /// Shows one of them: the error in full, and the record as JSON, in the way of `checkpoint export-state`.
    Show {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// The letter's number.
        #[arg(value_name = "NUMBER")]
        number: u64,
        /// For machines: one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Sends records through their operators once more, each exactly once.
    ///
    /// They come with one of the next batches, up to 10,000 or 1 MiB with each. One that fails again is a new letter, with an
    /// attempt more. Letters of an operator that the program does not have stay, and so does the request.
    ReDrive {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        #[command(flatten)]
        which: Which,
    },
    /// Removes them for good.
    Drop {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        #[command(flatten)]
        which: Which,
    },
}

/// Letters that are there when the command runs, and no later ones.
#[derive(Args)]
pub(crate) struct Which {
    /// Those of this operator.
    #[arg(long, value_name = "ID")]
    pub(crate) operator: Option<String>,
    /// Those of these numbers: `--letter 3 --letter 5`. With --operator, as far as they are its own.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) letter: Vec<u64>,
    /// All of them.
    #[arg(long, conflicts_with_all = ["operator", "letter"])]
    pub(crate) all: bool,
}

#[derive(Subcommand)]
pub(crate) enum Checkpoint {
    /// Shows application, batches, inputs, states and sizes.
    ///
    /// Keys are counted as a restart would read them: the newest snapshot and the changes behind it, of which the last of
    /// each key counts. Takes memory for all keys, not for their states.
    Show {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// The events that the journal still has instead, oldest first, one a line.
        #[arg(long)]
        events: bool,
        /// For machines: one JSON object, or with --events one a line. Times are milliseconds since 1970.
        #[arg(long)]
        json: bool,
    },
    /// Reads every checksum: journal, logs and snapshots of states, received blocks.
    ///
    /// The end of a file that a crash left incomplete, or that a running application has not finished, is a torn tail and no
    /// damage: it is passed over. What is wrong in the journal before its newest snapshot, which is good, is told and no
    /// damage either: a start does not read it. Exit codes: 0 good, 1 damaged, 2 it cannot be done.
    Verify {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// For machines: one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Cuts a damaged folder at its newest good point, so that the next start goes on from there.
    ///
    /// For a journal, or a log of changes of states, that is damaged in the middle. What was done behind that point is lost to
    /// the application: those batches run again, with what their inputs still deliver of them, and their outputs see them
    /// once more. Where a log of states is damaged, the journal goes back to the newest batch whose changes are all there.
    ///
    /// Nothing is deleted: what stands behind the point is moved to DIR/cut-1, or the next number that is free. Restoring a
    /// copy of the folder loses less, if there is one. Without --yes it says what it would do, and changes nothing.
    ///
    /// Exit codes: 0 done, or nothing is damaged that a cut would mend; 1 there is no good point, or the states as of it cannot
    /// be read any more; 2 it cannot be done, such as while a process runs in the folder; 3 it was not told --yes.
    Cut {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// Does it.
        #[arg(long)]
        yes: bool,
    },
    /// Runs a program so that it prints what becomes of what is stored, and stops before anything runs.
    ///
    /// The program is started with HEADWATER_STREAMING_PLAN_ONLY=true and HEADWATER_STREAMING_CHECKPOINT_DIR=DIR; its
    /// output and exit code are passed on. The variables count only where the program makes its settings by Conf::load() and
    /// does not set these keys itself: one that begins with Conf::new() RUNS AS USUAL.
    Plan {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// The program and its arguments, behind `--`.
        #[arg(value_name = "PROGRAM", last = true, required = true)]
        program: Vec<String>,
    },
    /// Writes the state of an operator as JSON, one line a key.
    ///
    /// {"key":…,"state":…,"timeout":…,"timer":…}, the last two in milliseconds since 1970 or null. Of a window one line a
    /// value, {"key":…,"value":…,"batch":…}, also of batches that have left it and are not trimmed yet; "batch" is null in
    /// the aggregate of a key that the window keeps though no value of it is inside.
    ///
    /// Lines come in the order in which keys were written last, and are not sorted by key. Writes while it reads; takes
    /// memory for the operator's keys and two segments of a log, not for the states.
    ///
    /// Bytes are {"$bytes":"hex"}. A map is an object if its keys are all text or all integers, and a list of [key, value]
    /// otherwise. Numbers that JSON does not have are "NaN", "Infinity" and "-Infinity".
    ExportState {
        /// The checkpoint folder.
        #[arg(value_name = "DIR")]
        folder: String,
        /// The operator's id, as `show` tells it.
        #[arg(value_name = "OPERATOR")]
        operator: String,
    },
}
