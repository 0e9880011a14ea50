//! Pipelines that read one stream, in outputs that run at the same time: each gives what it gives alone.

use super::random::{Pipeline, input, pipeline};
use super::step::Pair;
use headwater::prelude::*;
use headwater::testkit::{TestEnv, test_input};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::mpsc::channel;

/// What each output collects of each batch. All batches come at once.
fn outputs(
    batches: &[Vec<Pair>],
    trunk: Pipeline,
    branches: &[Pipeline],
    jobs: usize,
    threads: usize,
) -> BTreeMap<(usize, Time), Vec<Vec<Pair>>> {
    let env = TestEnv::new();
    let conf = Conf::new().master(format!("local[{threads}]")).concurrent_jobs(jobs);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let trunk = trunk.of(&test_input(&ssc, batches.iter().cloned().map(Some).collect(), 3));
    let (sent, received) = channel();
    for (number, branch) in branches.iter().enumerate() {
        let sent = sent.clone();
        branch.of(&trunk).foreach_rdd(move |rdd, time| {
            // Twice: the second job finds what the first has left.
            let [first, second] = [(); 2].map(|()| rdd.collect_partitions().unwrap());
            assert_eq!(first, second);
            sent.send(((number, time), first)).unwrap();
        });
    }
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(batches.len() as u64));
    running.await_batches(batches.len() as u64).unwrap();
    running.stop_gracefully().unwrap();
    received.try_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn outputs_at_the_same_time_do_not_disturb_each_other(
        input in input(), trunk in pipeline(0..=3), branches in [pipeline(0..=2), pipeline(0..=2), pipeline(0..=2)]
    ) {
        let one_by_one = outputs(&input, trunk, &branches, 1, 1);
        prop_assert_eq!(one_by_one.len(), 3 * input.len());
        prop_assert_eq!(&outputs(&input, trunk, &branches, 4, 2), &one_by_one);
        // Alone, too.
        for (number, branch) in branches.iter().enumerate() {
            let alone = outputs(&input, trunk, &[*branch], 1, 3);
            let among = one_by_one.iter().filter(|((output, _), _)| *output == number);
            let among: BTreeMap<_, _> = among.map(|((_, time), parts)| ((0, *time), parts.clone())).collect();
            prop_assert_eq!(alone, among);
        }
    }
}
