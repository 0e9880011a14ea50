//! `dead_letter_stream`: the letters of the program as one of its inputs.

use crate::context::StreamingContext;
use headwater_core::dead_letters::DeadLetter;
use headwater_core::dstream::DStream;

impl StreamingContext {
    /// What operators and outputs [set aside](DStream::set_aside), as a stream: each letter is in one batch of it, behind the
    /// batch that set it aside, and leaves the store with that. So letters can go to any sink, to a queue or to who is on
    /// duty. With a checkpoint folder a letter comes once its batch is committed, a batch has up to 10,000 of them, or 1 MiB, the
    /// oldest first, and the same ones when it runs again. A stream that no output reads has none.
    ///
    /// The program has one such stream; another call returns the same. Letters of operators and outputs that are behind the
    /// stream itself do not come back to it: they stay in the store.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let texts = testkit::test_input(&ssc, vec![Some(["1", "2x"].map(Text::from).to_vec()), None], 1);
    /// texts.set_aside().try_map(|text| text.parse::<u32>()).uid("parse").print();
    /// let (sent, received) = std::sync::mpsc::channel();
    /// let shown = |letter: headwater::dead_letters::DeadLetter| format!("{}: {}", letter.operator, letter.letter.error);
    /// ssc.dead_letter_stream().map(shown).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// clock.advance(seconds(1));
    /// assert_eq!(received.recv().unwrap(), [""; 0]);
    /// assert_eq!(received.recv().unwrap(), ["parse: invalid digit found in string"]);
    /// assert!(running.dead_letters()?.is_empty());
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn dead_letter_stream(&self) -> DStream<DeadLetter> {
        DStream::of_dead_letters(&self.graph)
    }
}
