//! The same pipeline on one thread, on four, and on three workers.

use super::step::{Pair, Step, step};
use headwater::prelude::*;
use headwater::testkit::Check;
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::RangeInclusive;

/// The longest pipeline.
const STEPS_MAX: usize = 6;

/// Operators, each with the place that it has: the stream, or a dataset inside `transform`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pipeline {
    steps: [Option<(Step, Place)>; STEPS_MAX],
}
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Stream,
    /// In a `transform` of its own.
    Alone,
    /// In one `transform` with those before it that are there, too.
    Together,
}

pub(super) fn pipeline(steps: RangeInclusive<usize>) -> impl Strategy<Value = Pipeline> {
    let place = prop_oneof![2 => Just(Place::Stream), 1 => Just(Place::Alone), 2 => Just(Place::Together)];
    vec((step(), place), steps).prop_map(|chosen| {
        let mut steps = [None; STEPS_MAX];
        chosen.into_iter().enumerate().for_each(|(at, step)| steps[at] = Some(step));
        Pipeline { steps }
    })
}
pub(super) fn input() -> impl Strategy<Value = Vec<Vec<Pair>>> {
    vec(vec((0..12u32, 0..90u32), 0..40), 1..3)
}

impl Pipeline {
    /// The steps; those of one `transform` stand together.
    fn parts(&self) -> Vec<(Place, Vec<Step>)> {
        let mut parts: Vec<(Place, Vec<Step>)> = Vec::new();
        for (step, place) in self.steps.into_iter().flatten() {
            match parts.last_mut() {
                Some((Place::Together, steps)) if place == Place::Together => steps.push(step),
                _ => parts.push((place, vec![step])),
            }
        }
        parts
    }
    pub(super) fn of(&self, stream: &DStream<Pair>) -> DStream<Pair> {
        self.parts().into_iter().fold(stream.clone(), |stream, (place, steps)| match place {
            Place::Stream => steps[0].of_stream(&stream),
            Place::Alone | Place::Together => {
                stream.transform(move |rdd, _| steps.iter().fold(rdd, |rdd, step| step.of_rdd(&rdd)))
            }
        })
    }
    pub(super) fn persists(&self) -> bool {
        self.steps.iter().flatten().any(|(step, _)| matches!(step, Step::Persist(_)))
    }
    pub(super) fn model(&self, pairs: &[Pair]) -> Option<Vec<Pair>> {
        let mut made = self.steps.iter().flatten().try_fold(pairs.to_vec(), |pairs, (step, _)| step.model(&pairs))?;
        made.sort();
        Some(made)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_pipeline_gives_the_same_everywhere(pipeline in pipeline(3..=STEPS_MAX), input in input(), partitions in 1..5usize) {
        let program = move |stream: DStream<Pair>| pipeline.of(&stream).glom();
        let check = Check::new().input_partitions(partitions);
        let batches: Vec<_> = input.iter().cloned().map(Some).collect();
        let one = check.threads(1).output(batches.clone(), program).unwrap();
        let [four, _] = check.threads(4).on_both_engines().outputs(batches.clone(), program);
        let [_, workers] = check.threads(3).on_both_engines().outputs(batches, program);
        // To the order of records: what depends on their places can be computed again anywhere.
        prop_assert_eq!(&one, &four.unwrap(), "one thread and four");
        prop_assert_eq!(&one, &workers.unwrap(), "one thread and three workers");
        for (got, batch) in one.into_iter().zip(&input) {
            let mut got = got.unwrap().concat();
            got.sort();
            if let Some(expected) = pipeline.model(batch) {
                prop_assert_eq!(got, expected);
            }
        }
    }
}
