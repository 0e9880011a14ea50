//! Makes sessions of clicks: state by user, which ends some time after the user's last click, and a timer that reports
//! on sessions while they last.
//!
//! ```text
//! cargo run --release --example sessionization
//! ```
//!
//! It prints:
//!
//! ```text
//! -------------------------------------------
//! Time: 1795274766800 ms
//! -------------------------------------------
//! Session { user: "bob", pages: 1, length: 0ns, is_over: true }
//! Session { user: "ann", pages: 3, length: 600ms, is_over: false }
//! ```

use headwater::prelude::*;
use serde::{Deserialize, Serialize};

/// What is known of a user who is here. State is `Clone`, `Serialize` and `Deserialize`, as all that outlives a task.
#[derive(Clone, Serialize, Deserialize)]
struct Visit {
    first: Time,
    last: Time,
    pages: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) pages: u32,
    /// From the batch of the first click to that of the last.
    pub(crate) length: Duration,
    /// False in the report on one that lasts.
    pub(crate) is_over: bool,
}

/// Sessions, of clicks as (user, page): those that end, because the user was idle for longer than `idle_max`, and once
/// each of those that reach a length of `report_after`.
pub(crate) fn sessions(
    clicks: &DStream<(String, String)>,
    idle_max: Duration,
    report_after: Duration,
) -> DStream<Session> {
    let spec =
        StateSpec::function_with_time(move |now, user: &String, page: Option<String>, visit: &mut State<Visit>| {
            // Without a page it is no click: the user timed out, or the timer fires.
            if page.is_none() {
                let Visit { first, last, pages } = visit.get()?;
                let (user, length, is_over) = (user.clone(), *last - *first, visit.is_timing_out());
                return Some(Session { user, pages: *pages, length, is_over });
            }
            match visit.get().cloned() {
                None => {
                    visit.update(Visit { first: now, last: now, pages: 1 });
                    visit.set_timer(now + report_after);
                }
                Some(known) => visit.update(Visit { last: now, pages: known.pages + 1, ..known }),
            }
            None
        });
    clicks.map_with_state(spec.timeout(idle_max)).stream()
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("Sessionization"), milliseconds(200))?;
    let queue = RddQueue::new();
    let batches: [&[(&str, &str)]; 5] =
        [&[("ann", "/home"), ("bob", "/home")], &[("ann", "/hats")], &[], &[("ann", "/cart")], &[("ann", "/pay")]];
    for clicks in batches {
        let clicks = clicks.iter().map(|(user, page)| (user.to_string(), page.to_string())).collect();
        queue.push(ssc.context().parallelize(clicks, 1))?;
    }

    sessions(&ssc.queue_stream(&queue), milliseconds(500), milliseconds(600)).print();

    // Sessions also end in batches to which nobody came.
    let running = ssc.start()?;
    running.await_batches(8)?;
    running.stop()
}
