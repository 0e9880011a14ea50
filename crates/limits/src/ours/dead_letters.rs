//! Lines `KEY,NUMBER` that are parsed, and summed up by key; those that do not parse are set aside.

use super::batches::INTERVAL;
use super::context;
use headwater::RunningContext;
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use std::sync::mpsc::{self, Receiver};

const KEYS: u64 = 1000;
/// Of each batch's input, for each thread.
const PARTITIONS: usize = 4;

/// What the lines are like. One in a hundred has no part in the sums, so that these are the same.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Lines {
    /// It has the number 0.
    AllGood,
    /// It has no number.
    OneInHundredBad,
}

/// A running stream whose batches follow one another.
pub(crate) struct Parser {
    running: RunningContext,
    env: TestEnv,
    context: RddContext,
    queue: RddQueue<Text>,
    results: Receiver<u64>,
    done: u64,
    partitions: usize,
}

impl Parser {
    /// Dead letters that an application without a checkpoint folder keeps.
    pub(crate) const KEPT_IN_MEMORY: u64 = 10_000;

    pub(crate) fn start(local: usize, folder: Option<String>) -> Parser {
        let env = TestEnv::new();
        let ssc = context::with_dead_letters(local, INTERVAL, env.env());
        folder.into_iter().for_each(|folder| ssc.checkpoint(folder));
        let queue = RddQueue::new();
        let (sent, results) = mpsc::channel();
        let sums = ssc.queue_stream(&queue).set_aside().try_map(parse).uid("parse").reduce_by_key(u64::wrapping_add);
        sums.foreach_rdd(move |rdd, _| {
            let mix = |(key, sum): (u64, u64)| key.wrapping_mul(31).wrapping_add(sum);
            let total = rdd.map(mix).reduce(u64::wrapping_add).expect("the job ends well").unwrap_or_default();
            // Who stops listening drops the stream with it.
            let _dropped = sent.send(total);
        });
        let context = ssc.context().clone();
        let running = ssc.start().expect("the program is valid");
        Parser { running, env, context, queue, results, done: 0, partitions: local * PARTITIONS }
    }
    /// So many lines at hand.
    pub(crate) fn lines(&self, lines: Lines, count: usize) -> Rdd<Text> {
        let line = |n: u64| {
            let key = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            match (n % 100, lines) {
                (99, Lines::AllGood) => format!("{},0", key % KEYS),
                (99, Lines::OneInHundredBad) => format!("{},x", key % KEYS),
                _ => format!("{},{}", key % KEYS, n % 1_000_000),
            }
        };
        let lines = (0..count as u64).map(|n| Text::from(line(n))).collect();
        self.context.parallelize(lines, self.partitions)
    }
    /// One batch, from the tick of the clock to its end; its result.
    pub(crate) fn batch(&mut self, lines: &Rdd<Text>) -> u64 {
        self.queue.push(lines.clone()).expect("the queue holds one batch at a time");
        self.done += 1;
        self.env.clock.advance(INTERVAL);
        self.running.await_batches(self.done).expect("no batch fails");
        self.results.recv().expect("a batch has a result")
    }
    pub(crate) fn letters(&self) -> u64 {
        self.running.dead_letters().expect("the folder reads").len() as u64
    }
}

fn parse(line: &Text) -> Result<(u64, u64), String> {
    let (key, amount) = line.split_once(',').ok_or("no comma")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    Ok((number(&key)?, number(&amount)?))
}
