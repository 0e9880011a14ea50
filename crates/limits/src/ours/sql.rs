//! A stream of rows, a batch a round, into a table of a database.

use super::context;
use crate::hand::sql::Record;
use crate::measure::Contender;
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater_sql::SqlSink;

const INTERVAL: Duration = Duration::from_secs(1);

/// The first batch is written before it is measured. The result of a round is how many batches there were, which are
/// committed by then.
pub(crate) fn contender(
    sink: SqlSink,
    batches: Vec<Vec<Record>>,
    checkpoint: String,
    local: usize,
) -> Result<Contender<'static>, String> {
    let env = TestEnv::new().with_storage(headwater::system_env().storage);
    let ssc = context::streaming(local, INTERVAL, env.env());
    ssc.checkpoint(checkpoint);
    let (queue, context) = (RddQueue::new(), ssc.context().clone());
    ssc.queue_stream(&queue).write_to(sink).uid("rows");
    let running = ssc.start().map_err(|error| error.to_string())?;
    let rdds: Vec<Rdd<Record>> = batches.into_iter().map(|rows| context.parallelize(rows, local)).collect();
    let (mut rdds, mut done) = (rdds.into_iter(), 0);
    let mut write = move || {
        let rows = rdds.next().expect("there is a batch for each round");
        queue.push(rows).expect("the queue holds one batch at a time");
        done += 1;
        env.clock.advance(INTERVAL);
        running.await_batches(done).expect("no batch fails");
        done
    };
    write();
    Ok(Contender::new("the sink", write))
}
