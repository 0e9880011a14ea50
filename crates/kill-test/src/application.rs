//! The application that is killed: a program between a source and a sink, durable in the folder of the test.

use crate::options::{ApplicationOptions, Source};
use crate::programs::{self, BATCH, RATE};
use crate::stores;
use headwater::prelude::*;

/// What it tells once its first batch is committed.
pub(crate) const COMMITTED: &str = "committed";
/// What it tells, with the time of its last batch in milliseconds, when it has stopped in order.
pub(crate) const LAST: &str = "last batch ";

pub(crate) fn run(options: &ApplicationOptions) -> Result<(), String> {
    start(options).map_err(|error| error.to_string())
}

fn start(options: &ApplicationOptions) -> headwater::Result<()> {
    let conf = Conf::new().master("local[2]").app_name("kill-test").state_snapshot_after(64 << 10);
    let ssc = StreamingContext::new(conf.checkpoint_dir(format!("{}/checkpoint", options.dir)), BATCH)?;
    let numbers = match options.what.source {
        Source::Rate => ssc.rate_stream(RATE, 2, |number| number).uid("numbers"),
        Source::Receiver => {
            let lines = ssc.reliable_socket_text_stream("127.0.0.1", options.port).uid("lines");
            lines.try_map(|line| line.parse::<u64>()).uid("numbers")
        }
    };
    stores::write(&programs::rows(options.what.program, &numbers), options)?;
    let running = ssc.start()?;
    running.await_batches(1)?;
    println!("{COMMITTED}");
    running.await_termination()?;
    println!("{LAST}{}", running.progress().last_completed.map_or(0, Time::milliseconds));
    Ok(())
}
