//! `dead_letter_stream`: what operators and outputs have set aside as an input of the program, so that it can go to any sink.

use super::{DStream, DStreamGraph};
use crate::dead_letters::DeadLetter;
use crate::input::InputDStream;
use crate::time::Time;
use std::sync::Arc;

/// The store fixes what batches get, and has it again for those that run again.
struct LetterSource;
impl InputDStream for LetterSource {
    fn is_stored_elsewhere(&self) -> bool {
        true
    }
}

impl DStream<DeadLetter> {
    /// The dead letters of the program, each in one batch. There is one stream of them; another call returns the same.
    #[track_caller]
    pub fn of_dead_letters(graph: &Arc<DStreamGraph>) -> DStream<DeadLetter> {
        let known = graph.state().letter_stream.clone();
        if let Some(node) = known {
            return DStream::of_node(graph, node);
        }
        let context = graph.context().clone();
        let letters = move |time: Time| {
            let letters = context.dead_letters().streamed(time)?;
            Ok(Some(context.parallelize(letters, 1)))
        };
        let stream = DStream::from_input(graph, "dead_letter_stream", Arc::new(LetterSource), letters);
        graph.state().letter_stream = Some(stream.node.clone());
        stream
    }
}
