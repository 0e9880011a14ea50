//! Word counts of a file, a batch a round, into a sink of files and to a console that nobody reads.

use super::context;
use crate::disk::Folder;
use crate::measure::Contender;
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater_files::FileSink;
use std::sync::Arc;

const INTERVAL: Duration = Duration::from_secs(1);

pub(crate) fn to_files(text: &str, folder: &Folder, local: usize) -> Contender<'static> {
    let prefix = folder.path("counts");
    contender("into files", text, folder.path("with-sink"), local, move |counts| {
        counts.write_to(FileSink::text(&prefix)).uid("counts");
    })
}

pub(crate) fn to_nowhere(text: &str, folder: &Folder, local: usize) -> Contender<'static> {
    contender("to nowhere", text, folder.path("without-sink"), local, |counts| {
        counts.print().uid("counts");
    })
}

/// Each round is a batch with the text; its result is how many batches there were, which are committed by then.
fn contender(
    name: &'static str,
    text: &str,
    checkpoint: String,
    local: usize,
    output: impl FnOnce(&DStream<String>),
) -> Contender<'static> {
    let env = TestEnv::new().with_storage(headwater::system_env().storage);
    let ssc = context::streaming(local, INTERVAL, env.env());
    ssc.checkpoint(checkpoint);
    let (queue, context, text) = (RddQueue::new(), ssc.context().clone(), Arc::new(text.to_owned()));
    let words = ssc.queue_stream(&queue).flat_map(|line: Text| line.split(' '));
    let counts = words.map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b);
    output(&counts.map(|(word, count)| format!("{word} {count}")));
    let running = ssc.start().expect("the program is valid");
    let mut batches = 0;
    Contender::new(name, move || {
        let lines = context.text_file(&text, local).expect("the text is there");
        queue.push(lines).expect("the queue holds one batch at a time");
        batches += 1;
        env.clock.advance(INTERVAL);
        running.await_batches(batches).expect("no batch fails");
        batches
    })
}
