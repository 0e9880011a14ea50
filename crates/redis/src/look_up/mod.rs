//! [`LookUp`]: records that are completed by what a service answers, asked from the tasks by an async client of any kind.
//! Nothing here knows Redis. A task asks for the keys of its partition, many at a time (`requests.rs`); the client and its
//! sockets live on a thread of their own (`io.rs`).

mod cache;
mod client;
mod io;
mod operator;
mod requests;
#[cfg(test)]
mod tests;

pub use operator::LookUpStream;

use client::Client;
use headwater_core::sink::FailurePolicy;
use headwater_core::{Error, ErrorKind, Key, Record, Result};
use std::error::Error as AnError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What clients fail with: any error, also a text.
type AnyError = Box<dyn AnError + Send + Sync>;
/// The answers to the keys of a request, in their order.
type Answers<V> = Pin<Box<dyn Future<Output = Result<Vec<Option<V>>>> + Send>>;

/// Requests of a task at a time unless told otherwise.
const CONCURRENCY: usize = 64;
/// How long a request may take unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often, and behind which pause, a failed request is tried again unless told otherwise.
const RETRY: FailurePolicy = FailurePolicy::retry(2, Duration::from_millis(100));

/// How the values of keys are looked up, for [`look_up`](LookUpStream::look_up): by which client, how many at a time, for how
/// long they are remembered, and what follows when that fails.
///
/// In each process one client is made when it is needed first, and again when a request to it has failed; all tasks have
/// clones of it. Its functions run as tasks of tokio on one thread: they await, and do not block or compute for long. Time-outs,
/// pauses and ages are by the clock of the application's environment, so that a test moves them by hand.
///
/// ```
/// use headwater::{prelude::*, testkit::check};
/// use headwater_redis::look_up::{LookUp, LookUpStream, OnFailure};
/// use std::{collections::HashMap, sync::Arc};
///
/// /// Stands for the client of a service.
/// #[derive(Clone)]
/// struct Names(Arc<HashMap<u64, String>>);
/// impl Names {
///     async fn connect() -> std::io::Result<Names> {
///         Ok(Names(Arc::new(HashMap::from([(1, "Ada".to_owned()), (2, "Grace".to_owned())]))))
///     }
///     async fn of(&self, user: u64) -> std::io::Result<Option<String>> {
///         Ok(self.0.get(&user).cloned())
///     }
/// }
///
/// let program = |views: DStream<(u64, char)>| {
///     let names = LookUp::new(Names::connect, |names: Names, user| async move { names.of(user).await })
///         .concurrency(64)
///         .cache(10_000, minutes(5))
///         .timeout(seconds(2))
///         .retry(3, milliseconds(100))
///         .on_failure(OnFailure::Absent);
///     let named = views.look_up(|(user, _page)| *user, names);
///     named.map(|((_user, page), name)| (name.unwrap_or("nobody".to_owned()), page))
/// };
/// let views = vec![(2, 'a'), (1, 'b'), (3, 'c'), (2, 'd')];
/// let named = [("Grace", 'a'), ("Ada", 'b'), ("nobody", 'c'), ("Grace", 'd')];
/// check([views], program, [named.map(|(name, page)| (name.to_owned(), page)).to_vec()]);
/// ```
#[derive(Clone)]
pub struct LookUp<K, V> {
    ask: Arc<dyn Fn(Vec<K>) -> Answers<V> + Send + Sync>,
    /// Keys of a request.
    batch_max: usize,
    concurrency: usize,
    /// Entries, and how long each is good for.
    cache: Option<(usize, Duration)>,
    timeout: Duration,
    retry: FailurePolicy,
    on_failure: OnFailure,
}

/// What follows when a value could not be looked up, behind the tries of [`LookUp::retry`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OnFailure {
    /// The task fails, and is tried again as any task. This is the default.
    Fail,
    /// The record goes on as if there was no value, and a warning for each partition says for how many that was so and why.
    Absent,
}

impl<K: Key, V: Record + Clone> LookUp<K, V> {
    /// Keys are looked up one by one: `look_up` gets a clone of the client that `connect` makes, and a key, and returns its
    /// value, or none where there is none.
    pub fn new<C, CF, CE, F, E>(
        connect: impl Fn() -> CF + Send + Sync + 'static,
        look_up: impl Fn(C, K) -> F + Send + Sync + 'static,
    ) -> LookUp<K, V>
    where
        C: Clone + Send + 'static,
        CF: Future<Output = Result<C, CE>> + Send + 'static,
        CE: Into<AnyError>,
        F: Future<Output = Result<Option<V>, E>> + Send + 'static,
        E: Into<AnyError>,
    {
        let look_up = Arc::new(look_up);
        LookUp::batched(1, connect, move |client, keys: Vec<K>| {
            let look_up = look_up.clone();
            async move {
                let mut values = Vec::with_capacity(keys.len());
                for key in keys {
                    values.push(look_up(client.clone(), key).await?);
                }
                Ok::<_, E>(values)
            }
        })
    }

    /// As [`LookUp::new`], for a service that answers for many keys at once: `look_up` gets up to `batch_max` different keys
    /// and returns as many values, in the same order.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// use headwater_redis::look_up::{LookUp, LookUpStream};
    /// let squares = |numbers: DStream<u64>| {
    ///     let client = || async { Ok::<_, std::io::Error>(()) };
    ///     let of_all = |_, keys: Vec<u64>| async move {
    ///         assert!(keys.len() <= 100);
    ///         Ok::<_, std::io::Error>(keys.iter().map(|n| Some(n * n)).collect())
    ///     };
    ///     numbers.look_up(|n| *n, LookUp::batched(100, client, of_all)).flat_map(|(_, square)| square)
    /// };
    /// check([vec![1, 2, 3]], squares, [vec![1, 4, 9]]);
    /// ```
    pub fn batched<C, CF, CE, F, E>(
        batch_max: usize,
        connect: impl Fn() -> CF + Send + Sync + 'static,
        look_up: impl Fn(C, Vec<K>) -> F + Send + Sync + 'static,
    ) -> LookUp<K, V>
    where
        C: Clone + Send + 'static,
        CF: Future<Output = Result<C, CE>> + Send + 'static,
        CE: Into<AnyError>,
        F: Future<Output = Result<Vec<Option<V>>, E>> + Send + 'static,
        E: Into<AnyError>,
    {
        let client = Arc::new(Client::new(connect));
        let look_up = Arc::new(look_up);
        let ask = move |keys: Vec<K>| -> Answers<V> {
            let (client, look_up, asked) = (client.clone(), look_up.clone(), keys.len());
            Box::pin(async move {
                let lent = client.lend().await?;
                let values = look_up(lent.client(), keys).await.map_err(|error| own(error, "the look-up failed"))?;
                if values.len() != asked {
                    let message =
                        format!("a look-up of {asked} keys returned {} values: one for each key", values.len());
                    return Err(Error::program(message));
                }
                lent.give_back();
                Ok(values)
            })
        };
        let (concurrency, timeout, retry, on_failure) = (CONCURRENCY, TIMEOUT, RETRY, OnFailure::Fail);
        LookUp { ask: Arc::new(ask), batch_max, concurrency, cache: None, timeout, retry, on_failure }
    }

    /// Requests that each task has on their way at a time, 64 unless told otherwise; at least 1.
    pub fn concurrency(self, concurrency: usize) -> Self {
        LookUp { concurrency, ..self }
    }
    /// Remembers the answers for up to `capacity` keys, also that there is no value, each for `time_to_live`. Of more, those
    /// used longest ago are forgotten. All tasks of a process share it. Without this, each partition of each batch asks.
    pub fn cache(self, capacity: usize, time_to_live: Duration) -> Self {
        LookUp { cache: Some((capacity, time_to_live)), ..self }
    }
    /// How long a request may take, connecting included, 10 s unless told otherwise. Then it is given up, and has failed.
    pub fn timeout(self, timeout: Duration) -> Self {
        LookUp { timeout, ..self }
    }
    /// A request that failed is tried again up to `retries` times, behind a pause of `back_off`, of twice that, and so on up
    /// to a minute; twice and 100 ms unless told otherwise. A task that fails for it is tried again besides.
    pub fn retry(self, retries: u32, back_off: Duration) -> Self {
        LookUp { retry: FailurePolicy::retry(retries, back_off), ..self }
    }
    /// What follows behind the last try.
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        LookUp { on_failure, ..self }
    }
}

/// The user's error as ours, unless it is.
fn own(error: impl Into<AnyError>, message: &str) -> Error {
    match error.into().downcast::<Error>() {
        Ok(own) => *own,
        Err(other) => Error::new(ErrorKind::Outside, message).because(other),
    }
}
