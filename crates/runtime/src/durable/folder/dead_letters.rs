//! The dead letters in a checkpoint folder: read as a recovery reads them, and requests of what shall be done with them.

use super::super::dead_letters::{LetterRequest, Piece, folder_of, log_of};
use super::super::numbers::Numbers;
use super::super::state_logs::check_end;
use super::CheckpointFolder;
use headwater_core::Result;
use headwater_core::dead_letters::DeadLetter;
use headwater_storage::{LogOptions, LogReader};

/// What a request comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedLetters {
    /// Letters that it names.
    pub letters: u64,
}

impl CheckpointFolder {
    /// The records that were set aside, in the order of their numbers: those of batches that are committed, less those that
    /// were dropped, or are in a batch once more. All of them are in memory then; see
    /// [`each_dead_letter`](CheckpointFolder::each_dead_letter).
    ///
    /// ```
    /// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let ssc = StreamingContext::with_env(Conf::new().master("local[1]").checkpoint_dir("run"), seconds(1), env.env())?;
    /// ssc.rate_stream(3, 1, |n| n).uid("numbers").set_aside().map(|n| 6 / n).uid("quotients").print();
    /// let running = ssc.start()?;
    /// env.clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// let letters = CheckpointFolder::look(env.storage.clone(), "run")?.dead_letters()?;
    /// assert_eq!((letters[0].number, letters[0].record::<u64>()?), (1, 0));
    /// assert_eq!(letters[0].letter.error, "panicked: attempt to divide by zero");
    /// assert_eq!(running.dead_letters()?, letters);
    /// running.stop()?;
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        self.reading(|now| {
            let mut letters = Vec::new();
            now.each_dead_letter(|letter, _| {
                letters.push(letter);
                Ok(())
            })?;
            letters.sort_by_key(|letter| letter.number);
            Ok(letters)
        })
    }
    /// Gives `each` the letters one after the other, in the order in which they lie on disk, and whether each is to go through
    /// its operator once more with one of the next batches. An error of the kind `Data` may come in the middle, where the
    /// process that runs there removes what was about to be read.
    pub fn each_dead_letter(&self, mut each: impl FnMut(DeadLetter, bool) -> Result<()>) -> Result<()> {
        let state = &self.state.letters;
        // Where much has gone, what is left was written a second time.
        let mut given = Numbers::default();
        self.each_piece(&mut |piece| {
            for letter in piece.into_letters() {
                let number = letter.number;
                if state.has(number) && !given.contains(number) {
                    given.insert(number, number + 1);
                    each(letter, state.asked.contains(number))?;
                }
            }
            Ok(())
        })
    }
    /// Asks the program that runs on the folder, or that runs there next, to drive the letters that `wanted` names through
    /// their operators once more, each exactly once. A letter is gone from the store with the batch that has it; if it fails
    /// again it is another one, with an attempt more. Nothing is written where none is named.
    ///
    /// ```
    /// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let process = |divisor: u64, batches: u64| {
    ///     let ssc = StreamingContext::with_env(Conf::new().master("local[1]").checkpoint_dir("run"), seconds(1), env.env())?;
    ///     let numbers = ssc.rate_stream(3, 1, |n| n).uid("numbers");
    ///     numbers.set_aside().map(move |n| 6 / (n + divisor)).uid("quotients").print();
    ///     let running = ssc.start()?;
    ///     env.clock.advance(seconds(batches));
    ///     running.await_batches(batches)?;
    ///     running.stop()
    /// };
    /// process(0, 1)?;
    /// let asked = CheckpointFolder::look(env.storage.clone(), "run")?.redrive_letters(|letter| letter.operator == "quotients")?;
    /// assert_eq!(asked.letters, 1);
    /// process(1, 1)?;
    /// assert!(env.printed().ends_with("Time: 2000 ms\n-------------------------------------------\n1\n1\n1\n6\n\n"));
    /// assert!(CheckpointFolder::look(env.storage.clone(), "run")?.dead_letters()?.is_empty());
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn redrive_letters(&self, wanted: impl FnMut(&DeadLetter) -> bool) -> Result<AskedLetters> {
        self.ask(wanted, |redrive| LetterRequest { redrive, ..LetterRequest::default() })
    }
    /// Asks, in the way of [`redrive_letters`](CheckpointFolder::redrive_letters), that these letters go for good.
    ///
    /// ```
    /// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let ssc = StreamingContext::with_env(Conf::new().master("local[1]").checkpoint_dir("run"), seconds(1), env.env())?;
    /// ssc.rate_stream(3, 1, |n| n).set_aside().try_filter(|n| if *n < 2 { Err("too small") } else { Ok(true) }).print();
    /// let running = ssc.start()?;
    /// env.clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// let folder = CheckpointFolder::look(env.storage.clone(), "run")?;
    /// assert_eq!(folder.drop_letters(|letter| letter.record::<u64>().is_ok_and(|n| n == 0))?.letters, 1);
    /// assert_eq!(folder.waiting_requests()?, (0, 1));
    /// env.clock.advance(seconds(1));
    /// running.await_batches(2)?;
    /// let mut left = Vec::new();
    /// CheckpointFolder::look(env.storage.clone(), "run")?.each_dead_letter(|letter, is_asked| {
    ///     left.push((letter.record::<u64>()?, is_asked));
    ///     Ok(())
    /// })?;
    /// assert_eq!((left, folder.waiting_requests()?), (vec![(1, false)], (0, 0)));
    /// running.stop()?;
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn drop_letters(&self, wanted: impl FnMut(&DeadLetter) -> bool) -> Result<AskedLetters> {
        self.ask(wanted, |drop| LetterRequest { drop, ..LetterRequest::default() })
    }
    /// How many letters requests name that no program has carried out: those to be driven once more, and those to go.
    pub fn waiting_requests(&self) -> Result<(u64, u64)> {
        let waiting = LetterRequest::waiting(&*self.storage, &folder_of(&self.path))?;
        let (mut redrive, mut drop) = (Numbers::default(), Numbers::default());
        for (_, request) in waiting {
            redrive.insert_all(&request.redrive);
            drop.insert_all(&request.drop);
        }
        Ok((redrive.count(), drop.count()))
    }

    fn ask(
        &self,
        mut wanted: impl FnMut(&DeadLetter) -> bool,
        request: impl FnOnce(Numbers) -> LetterRequest,
    ) -> Result<AskedLetters> {
        let numbers = self.reading(|now| {
            let mut numbers = Numbers::default();
            now.each_dead_letter(|letter, _| {
                if wanted(&letter) {
                    numbers.insert(letter.number, letter.number + 1);
                }
                Ok(())
            })?;
            Ok(numbers)
        })?;
        let letters = numbers.count();
        if letters > 0 {
            request(numbers).leave(&*self.storage, &folder_of(&self.path))?;
        }
        Ok(AskedLetters { letters })
    }
    /// All that the log has, committed or not.
    pub(super) fn each_piece(&self, each: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
        let (folder, state) = (log_of(&self.path), &self.state.letters);
        let options = LogOptions::new(&self.application, u64::MAX).first(state.first.max(1));
        let mut reader = LogReader::open(self.storage.clone(), &folder, options)?;
        let mut end = None;
        while let Some((position, record)) = reader.next()? {
            each(Piece::decode(&record).map_err(|error| error.within(&folder))?)?;
            end = Some((position.segment, position.offset));
        }
        check_end(&folder, state.first, state.end, end)
    }
}
