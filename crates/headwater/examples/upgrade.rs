//! A program that is replaced by a new version of itself, and goes on with what the old one knew: version 1 counts the
//! visits of pages, version 2 also keeps when each was last seen. Between the two the plan says what becomes of what is
//! stored. `-- FOLDER` keeps the checkpoint folder there, and goes on with it when it is run again.

use headwater::{prelude::*, testkit};
use serde::{Deserialize, Serialize};
use std::sync::mpsc::{Sender, channel};

/// The pages that are visited, twenty a second.
fn pages(ssc: &StreamingContext) -> DStream<(String, u64)> {
    let names = ["home", "search", "basket", "home", "help"];
    ssc.rate_stream(20, 2, move |n| (names[n as usize % names.len()].to_owned(), n)).uid("visits")
}

mod version_1 {
    use super::*;

    /// What is known of a page.
    #[derive(Clone, Serialize, Deserialize)]
    struct Page {
        visits: u32,
    }
    pub(super) fn build(ssc: &StreamingContext, newest: Sender<String>) {
        let pages = pages(ssc).update_state_by_key(|new, page: Option<&Page>| {
            Some(Page { visits: page.map_or(0, |page| page.visits) + new.len() as u32 })
        });
        let counts = pages.uid("pages").map(|(name, page)| format!("{name} {}", page.visits));
        counts.foreach_rdd(move |rdd, _| tell(&newest, rdd.collect()?));
    }
}

mod version_2 {
    use super::*;

    /// Counts have become wider, and there is a field more: both read what version 1 has written.
    #[derive(Clone, Serialize, Deserialize)]
    struct Page {
        visits: u64,
        #[serde(default)]
        newest: Option<u64>,
    }
    pub(super) fn build(ssc: &StreamingContext, newest: Sender<String>) {
        let pages = pages(ssc).update_state_by_key(|new, page: Option<&Page>| {
            let (visits, newest) = page.map_or((0, None), |page| (page.visits, page.newest));
            Some(Page { visits: visits + new.len() as u64, newest: new.iter().copied().max().or(newest) })
        });
        let pages = pages.with_partitions(5).uid("pages");
        let counts = pages.map(|(name, page)| format!("{name} {} (newest {:?})", page.visits, page.newest));
        counts.foreach_rdd(move |rdd, _| tell(&newest, rdd.collect()?));
    }
}

fn tell(newest: &Sender<String>, mut lines: Vec<String>) -> headwater::Result<()> {
    lines.sort();
    // Nobody listens behind the end.
    let _ = newest.send(lines.join(", "));
    Ok(())
}

fn context(folder: &str) -> headwater::Result<StreamingContext> {
    let conf = Conf::load()?.app_name("pages");
    StreamingContext::get_or_create(folder, || StreamingContext::new(conf, Duration::from_millis(100)))
}

/// Runs a version for ten batches; what it told last.
fn run(folder: &str, build: fn(&StreamingContext, Sender<String>)) -> headwater::Result<String> {
    let ssc = context(folder)?;
    let (sent, received) = channel();
    build(&ssc, sent);
    let running = ssc.start()?;
    running.await_batches(10)?;
    running.stop_gracefully()?;
    Ok(received.try_iter().last().unwrap_or_default())
}

fn main() -> headwater::Result<()> {
    let temporary = testkit::temporary_folder();
    let folder = std::env::args().nth(1).unwrap_or_else(|| format!("{temporary}/pages"));

    println!("version 1: {}\n", run(&folder, version_1::build)?);

    let ssc = context(&folder)?;
    version_2::build(&ssc, channel().0);
    println!("the plan for version 2:\n{}\n", ssc.plan()?);

    println!("version 2 goes on: {}", run(&folder, version_2::build)?);
    Ok(())
}
