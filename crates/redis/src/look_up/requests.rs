//! [`Requests`]: the requests of one task, of which a bounded number is on the way. The task's thread starts them and waits
//! for answers, time-outs and the ends of pauses by the environment's clock; the thread of [`Io`](super::io::Io) runs them.

use super::LookUp;
use headwater_core::env::Clock;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Key, Record, Result, panic_message};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// What a request ended with: its number and the answers.
type Ended<V> = (u64, Result<Vec<Option<V>>>);

pub(super) struct Requests<'a, K, V> {
    look_up: &'a LookUp<K, V>,
    clock: &'a Arc<dyn Clock>,
    handle: &'a Handle,
    /// Not on the way: new ones, and those that failed and are to be tried again.
    waiting: VecDeque<Request<K>>,
    /// On the way, by number.
    flying: BTreeMap<u64, Flight<K>>,
    numbers: u64,
    ended: Arc<Mutex<Vec<Ended<V>>>>,
    /// None where there is no answer, yet or for good.
    answers: Vec<Option<Option<V>>>,
    /// How many keys failed, and the first error.
    failed: Option<(usize, Error)>,
}

struct Request<K> {
    keys: Vec<K>,
    /// The place of the first key among all.
    first: usize,
    failures: u32,
    not_before: Time,
}
struct Flight<K> {
    request: Request<K>,
    deadline: Time,
    abort: AbortHandle,
}

/// The answers to keys, in their order, none for those that failed; and how many did, and why the first.
pub(super) struct Answered<V> {
    pub(super) answers: Vec<Option<Option<V>>>,
    pub(super) failed: Option<(usize, Error)>,
}

impl<'a, K: Key, V: Record + Clone> Requests<'a, K, V> {
    pub(super) fn new(look_up: &'a LookUp<K, V>, clock: &'a Arc<dyn Clock>, handle: &'a Handle, keys: &[K]) -> Self {
        let now = clock.now();
        let (flying, ended, failed) = Default::default();
        let batches = keys.chunks(look_up.batch_max.max(1)).enumerate();
        let waiting = batches.map(|(at, keys)| Request {
            keys: keys.to_vec(),
            first: at * look_up.batch_max.max(1),
            failures: 0,
            not_before: now,
        });
        let (waiting, answers) = (waiting.collect(), vec![None; keys.len()]);
        Requests { look_up, clock, handle, waiting, flying, numbers: 0, ended, answers, failed }
    }

    pub(super) fn run(mut self) -> Result<Answered<V>> {
        while !self.waiting.is_empty() || !self.flying.is_empty() {
            let now = self.clock.now();
            self.start_ready(now);
            let ended = self.ended.clone();
            self.clock.wait(self.next_deadline(), &mut || !lock(&ended).is_empty());
            let ended = std::mem::take(&mut *lock(&ended));
            for (number, answers) in ended {
                // One that was given up may have ended all the same.
                if let Some(flight) = self.flying.remove(&number) {
                    self.take_answers(flight.request, answers)?;
                }
            }
            self.give_up_late()?;
        }
        Ok(Answered { answers: std::mem::take(&mut self.answers), failed: self.failed.take() })
    }

    fn start_ready(&mut self, now: Time) {
        for _ in 0..self.waiting.len() {
            if self.flying.len() >= self.look_up.concurrency {
                return;
            }
            let Some(request) = self.waiting.pop_front() else { return };
            if request.not_before > now { self.waiting.push_back(request) } else { self.start(request, now) }
        }
    }
    fn start(&mut self, request: Request<K>, now: Time) {
        self.numbers += 1;
        let number = self.numbers;
        let (ask, keys) = (self.look_up.ask.clone(), request.keys.clone());
        let (ended, clock) = (self.ended.clone(), self.clock.clone());
        let task = self.handle.spawn(async move {
            let answers = caught(async move { ask(keys).await }).await;
            let mut all = lock(&ended);
            all.push((number, answers));
            // Who has not yet taken the one before will take this with it.
            let first = all.len() == 1;
            drop(all);
            if first {
                clock.notify();
            }
        });
        let flight = Flight { request, deadline: now + self.look_up.timeout, abort: task.abort_handle() };
        self.flying.insert(number, flight);
    }
    /// When something must be done, whatever is answered.
    fn next_deadline(&self) -> Option<Time> {
        let late = self.flying.values().map(|flight| flight.deadline).min();
        let has_room = self.flying.len() < self.look_up.concurrency;
        let ready = self.waiting.iter().map(|request| request.not_before).min().filter(|_| has_room);
        late.into_iter().chain(ready).min()
    }
    fn give_up_late(&mut self) -> Result<()> {
        let now = self.clock.now();
        let late: Vec<u64> = self.flying.iter().filter(|(_, flight)| flight.deadline <= now).map(|(n, _)| *n).collect();
        for number in late {
            let flight = self.flying.remove(&number).expect("it was there just now");
            flight.abort.abort();
            let message = format!("a look-up was not answered within {:?}", self.look_up.timeout);
            self.take_answers(flight.request, Err(Error::new(ErrorKind::Outside, message)))?;
        }
        Ok(())
    }

    fn take_answers(&mut self, mut request: Request<K>, answers: Result<Vec<Option<V>>>) -> Result<()> {
        let error = match answers {
            Ok(answers) => {
                let places = self.answers[request.first..].iter_mut();
                places.zip(answers).for_each(|(place, answer)| *place = Some(answer));
                return Ok(());
            }
            Err(error) => error,
        };
        // What the program itself has to mend is wrong the next time too.
        let pause = self.look_up.retry.pause_after(request.failures).filter(|_| error.kind() != ErrorKind::Program);
        if let Some(pause) = pause {
            request.failures += 1;
            request.not_before = self.clock.now() + pause;
            self.waiting.push_back(request);
            return Ok(());
        }
        match self.look_up.on_failure {
            super::OnFailure::Fail => Err(error.within(format!("a look-up was tried {} times", request.failures + 1))),
            super::OnFailure::Absent => {
                let (failed, _) = self.failed.get_or_insert((0, error));
                *failed += request.keys.len();
                Ok(())
            }
        }
    }
}

impl<K, V> Drop for Requests<'_, K, V> {
    /// Nothing goes on behind a task that failed.
    fn drop(&mut self) {
        self.flying.values().for_each(|flight| flight.abort.abort());
    }
}

/// The panic of a client as an error.
async fn caught<V>(asked: impl Future<Output = Result<V>>) -> Result<V> {
    let mut asked = std::pin::pin!(asked);
    let polled = std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| asked.as_mut().poll(context)));
        polled.map_or_else(|panic| std::task::Poll::Ready(Err(panic)), |polled| polled.map(Ok))
    });
    polled.await.unwrap_or_else(|panic| {
        let message = format!("a look-up panicked: {}", panic_message(&*panic));
        Err(Error::new(ErrorKind::Data, message))
    })
}

fn lock<T>(ended: &Mutex<T>) -> MutexGuard<'_, T> {
    ended.lock().unwrap_or_else(PoisonError::into_inner)
}
