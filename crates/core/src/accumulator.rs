//! [`Accumulator`]: what tasks count, added up on the driver. A task's additions are kept with the task and count once
//! it has succeeded, so a failed attempt leaves nothing.

mod kinds;
mod parts;
mod registry;

pub use kinds::{CollectionAccumulator, CollectionSum, DoubleAccumulator, DoubleSum, LongAccumulator, LongSum};
pub use parts::AccumulatorUpdates;
pub(crate) use parts::{Part, add_part, gathering, outside};
pub use registry::AccumulatorRegistry;
pub(crate) use registry::MergesBytes;

use crate::item::ItemId;
use crate::{Data, RddContext};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How an accumulator adds up; implement it for an accumulator of your own. `add` and `merge` must give the same in any
/// order, and must not use accumulators themselves. Source: Spark's `AccumulatorV2`.
///
/// ```
/// use headwater::{accumulator::Accumulation, testkit};
/// use serde::{Deserialize, Serialize};
///
/// /// The longest word seen.
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Longest(String);
/// impl Accumulation for Longest {
///     type Input = String;
///     type Output = String;
///     fn add(&mut self, word: String) {
///         if word.len() > self.0.len() { self.0 = word; }
///     }
///     fn merge(&mut self, other: Longest) { self.add(other.0) }
///     fn value(&self) -> String { self.0.clone() }
/// }
///
/// let context = testkit::context();
/// let longest = context.accumulator("longest word", Longest(String::new()));
/// let words = context.parallelize(["a", "stream", "of", "words"].map(String::from).to_vec(), 2);
/// let seen = longest.clone();
/// words.map(move |word| seen.add(word)).count()?;
/// assert_eq!(longest.value(), "stream");
/// # Ok::<(), headwater::Error>(())
/// ```
pub trait Accumulation: Data {
    /// What is added.
    type Input;
    /// What comes out.
    type Output;
    /// Adds one value.
    fn add(&mut self, value: Self::Input);
    /// Adds what another task has added up.
    fn merge(&mut self, other: Self);
    /// What was added up so far.
    fn value(&self) -> Self::Output;
}

/// A handle to a total that tasks add to and the driver reads; clone it into closures. Each task counts once, when it
/// succeeds, also a map task that runs again because its shuffle data is gone (in Spark it counts again then). A partition
/// that several jobs, or several operators of one, compute for themselves counts for each. It is not recovered after a
/// restart: the program makes it anew.
pub struct Accumulator<A> {
    shared: Arc<Shared<A>>,
}
struct Shared<A> {
    id: ItemId,
    name: String,
    zero: A,
    /// On the driver. `add` and `merge` run under this lock, which is why they may not use the accumulator.
    total: Mutex<A>,
}
impl<A> Clone for Accumulator<A> {
    fn clone(&self) -> Self {
        Accumulator { shared: self.shared.clone() }
    }
}

impl RddContext {
    /// An accumulator of one's own kind; `zero` is the total of nothing.
    pub fn accumulator<A: Accumulation>(&self, name: impl Into<String>, zero: A) -> Accumulator<A> {
        let (id, name, total) = (self.next_item(), name.into(), Mutex::new(zero.clone()));
        let shared = Arc::new(Shared { id, name, zero, total });
        if self.transport().is_some() {
            self.accumulators().register(&shared);
        }
        Accumulator { shared }
    }
}

impl<A: Accumulation> Accumulator<A> {
    /// Adds `value`: in a task to the task's own part, elsewhere to the total.
    pub fn add(&self, value: A::Input) {
        let mut value = Some(value);
        parts::of_this_task(&self.shared, |part| value.take().into_iter().for_each(|value| part.add(value)));
        if let Some(value) = value {
            self.shared.lock().add(value);
        }
    }
    /// What was added up so far. In a task, what this task has added.
    pub fn value(&self) -> A::Output {
        self.total().value()
    }
    fn total(&self) -> A {
        let of_task = parts::of_this_task(&self.shared, |part| part.clone());
        of_task.unwrap_or_else(|| self.shared.lock().clone())
    }
    /// Sets the total to zero again.
    pub fn reset(&self) {
        *self.shared.lock() = self.shared.zero.clone();
    }
    /// The name it was made with.
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

impl<A> Shared<A> {
    fn lock(&self) -> MutexGuard<'_, A> {
        self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
