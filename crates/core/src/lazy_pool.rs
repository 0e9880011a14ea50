//! [`LazyPool`]: connections that the tasks of a process share, opened when they are needed. It knows nothing of what they
//! connect to.

use crate::env::{Clock, Env};
use crate::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// How long to wait for a connection that others have, unless told otherwise.
const WAIT: Duration = Duration::from_secs(30);

/// A pool of connections for [`for_each_partition`](crate::DStream::for_each_partition): a task borrows one, and leaves it
/// to the next. It holds at most so many as its limit says, and opens one when it is asked for and none is free. A clone is
/// the same pool. On a cluster each process has its own, since each builds the program. Source: Spark's guide,
/// "ConnectionPool is a static, lazily initialized pool of connections".
///
/// A connection whose use ended in an error or a panic is thrown away: nobody knows what state it is in.
///
/// # Example
/// The guide's pattern for an output that counts once, "unique id and transaction": a partition is written under the id of
/// its batch time and number, in one transaction, unless that id is there already. (What a whole batch at a time is for is
/// [`Sink`](crate::sink::Sink).)
///
/// ```
/// use headwater::{LazyPool, prelude::*, testkit};
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// /// Stands for a database: what was written, by id.
/// type Database = Arc<Mutex<BTreeMap<(Time, usize), Vec<u64>>>>;
/// struct Connection(Database);
/// impl Connection {
///     fn open(database: &Database) -> std::io::Result<Connection> {
///         Ok(Connection(database.clone()))
///     }
///     /// "BEGIN; INSERT the id, or else ROLLBACK; INSERT the numbers; COMMIT"
///     fn write_once(&mut self, id: (Time, usize), numbers: Vec<u64>) -> std::io::Result<()> {
///         self.0.lock().unwrap().entry(id).or_insert(numbers);
///         Ok(())
///     }
/// }
///
/// let (ssc, clock) = testkit::streaming_context();
/// let (database, opened) = (Database::default(), Arc::new(Mutex::new(0)));
/// let pool = LazyPool::new(ssc.context().env(), 4, {
///     let (database, opened) = (database.clone(), opened.clone());
///     move || {
///         *opened.lock().unwrap() += 1;
///         Connection::open(&database)
///     }
/// });
/// let numbers = ssc.rate_stream(6, 2, |n| n);
/// numbers.for_each_partition(move |records, task| {
///     let id = task.unique_id().expect("an output has a batch");
///     pool.with(|connection| connection.write_once(id, records.collect()))
/// });
/// let running = ssc.start()?;
/// clock.advance(seconds(3));
/// running.await_batches(3)?;
/// let database = database.lock().unwrap();
/// assert_eq!(database.values().flatten().count(), 18);
/// assert_eq!(database.keys().next().unwrap().0, Time::from_millis(1000));
/// assert!((1..=2).contains(&*opened.lock().unwrap()), "one for each of two task threads");
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct LazyPool<C> {
    shared: Arc<Shared<C>>,
    wait: Duration,
}

struct Shared<C> {
    clock: Arc<dyn Clock>,
    connect: Box<dyn Fn() -> Result<C> + Send + Sync>,
    limit: usize,
    places: Mutex<Places<C>>,
}

struct Places<C> {
    /// Connections that nobody uses.
    idle: Vec<C>,
    /// Places that are taken: connections in use, and those that are opened now.
    taken: usize,
    /// Tasks that wait for a place.
    waiting: usize,
}

impl<C: Send + 'static> LazyPool<C> {
    /// A pool of at most `limit` connections, each opened by `connect`. Nothing is opened yet.
    pub fn new<E: Into<AnyError>>(
        env: &Env,
        limit: usize,
        connect: impl Fn() -> Result<C, E> + Send + Sync + 'static,
    ) -> LazyPool<C> {
        LazyPool::with_clock(env.clock.clone(), limit, connect)
    }
    fn with_clock<E: Into<AnyError>>(
        clock: Arc<dyn Clock>,
        limit: usize,
        connect: impl Fn() -> Result<C, E> + Send + Sync + 'static,
    ) -> LazyPool<C> {
        let connect = Box::new(move || connect().map_err(|error| own(error, "a connection could not be opened")));
        let places = Mutex::new(Places { idle: Vec::new(), taken: 0, waiting: 0 });
        LazyPool { shared: Arc::new(Shared { clock, connect, limit, places }), wait: WAIT }
    }
    /// How long [`with`](LazyPool::with) waits while all connections are in use, 30 s unless told otherwise; of this handle.
    pub fn wait_at_most(self, wait: Duration) -> LazyPool<C> {
        LazyPool { wait, ..self }
    }

    /// Runs `f` with a connection of its own: one that is free, or a new one; or it waits until one is free. That all are in
    /// use for too long is an error (`Resources`); so is a connection that cannot be opened and what `f` returns (`Outside`,
    /// unless it is an [`Error`] already).
    ///
    /// ```
    /// use headwater::LazyPool;
    /// use std::io::Error;
    /// let pool = LazyPool::new(&headwater::system_env(), 1, || Ok::<_, Error>(String::new()));
    /// pool.with(|connection| Ok::<_, Error>(connection.push_str("used")))?;
    /// assert_eq!(pool.with(|connection| Ok::<_, Error>(connection.clone()))?, "used");
    /// let error = pool.with(|_| Err::<(), _>("the peer is gone")).unwrap_err();
    /// assert_eq!(error.to_string(), "a pooled connection failed: the peer is gone");
    /// assert_eq!(pool.with(|connection| Ok::<_, Error>(connection.clone()))?, "");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn with<R, E: Into<AnyError>>(&self, f: impl FnOnce(&mut C) -> Result<R, E>) -> Result<R> {
        // Given back when this returns or panics; a connection only where all went well.
        let mut place = self.take()?;
        let mut connection = match place.connection.take() {
            Some(idle) => idle,
            None => (self.shared.connect)()?,
        };
        let done = f(&mut connection).map_err(|error| own(error, "a pooled connection failed"))?;
        place.connection = Some(connection);
        Ok(done)
    }

    fn take(&self) -> Result<Place<'_, C>> {
        let Shared { clock, limit, .. } = &*self.shared;
        if *limit == 0 {
            return Err(Error::program("LazyPool: a limit of 0 lets nobody connect: it is at least 1"));
        }
        let take = |places: &mut Places<C>| {
            let connection = places.idle.pop();
            // What is idle has no place: it may be taken as long as fewer than all are.
            places.taken += 1;
            Place { shared: &self.shared, connection }
        };
        let mut places = self.shared.lock();
        if places.taken < *limit {
            return Ok(take(&mut places));
        }
        places.waiting += 1;
        drop(places);
        let mut place = None;
        clock.wait(Some(clock.now() + self.wait), &mut || {
            let mut places = self.shared.lock();
            if places.taken < *limit {
                place = Some(take(&mut places));
            }
            place.is_some()
        });
        self.shared.lock().waiting -= 1;
        place.ok_or_else(|| {
            let wait = self.wait;
            let message =
                format!("all {limit} connections of a LazyPool were in use for {wait:?}: raise its limit or its wait");
            Error::new(ErrorKind::Resources, message)
        })
    }
}

impl<C> Clone for LazyPool<C> {
    fn clone(&self) -> Self {
        LazyPool { shared: self.shared.clone(), wait: self.wait }
    }
}

impl<C> Shared<C> {
    /// Numbers and a list: a panic of another holder cannot leave them half-changed.
    fn lock(&self) -> MutexGuard<'_, Places<C>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one connection.
struct Place<'a, C> {
    shared: &'a Shared<C>,
    /// What is left to the next.
    connection: Option<C>,
}
impl<C> Drop for Place<'_, C> {
    fn drop(&mut self) {
        let waiting = {
            let mut places = self.shared.lock();
            places.taken -= 1;
            places.idle.extend(self.connection.take());
            places.waiting > 0
        };
        // Behind the lock, which a waiter takes under the clock's.
        if waiting {
            self.shared.clock.notify();
        }
    }
}

/// The user's error as ours, unless it is.
fn own(error: impl Into<AnyError>, message: &str) -> Error {
    match error.into().downcast::<Error>() {
        Ok(own) => *own,
        Err(other) => Error::new(ErrorKind::Outside, message).because(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::ManualClock;
    use crate::time::Time;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    type Fine = Result<(), std::io::Error>;

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new(Time::from_millis(0)))
    }
    /// A pool of numbered connections, and how many were opened.
    fn numbered(limit: usize) -> (Arc<ManualClock>, LazyPool<usize>, Arc<AtomicUsize>) {
        let (clock, opened) = (clock(), Arc::new(AtomicUsize::new(0)));
        let count = opened.clone();
        let next = move || Ok::<_, Error>(count.fetch_add(1, Ordering::SeqCst));
        (clock.clone(), LazyPool::with_clock(clock, limit, next), opened)
    }

    #[test]
    fn nothing_is_opened_before_it_is_needed_and_what_is_there_is_used_again() {
        let (_clock, pool, opened) = numbered(3);
        assert_eq!(opened.load(Ordering::SeqCst), 0);
        for _ in 0..3 {
            assert_eq!(pool.clone().with(|number| Ok::<_, Error>(*number)).unwrap(), 0);
        }
        let inner = pool.with(|outer| pool.with(|inner| Ok::<_, Error>((*outer, *inner)))).unwrap();
        assert_eq!((inner, opened.load(Ordering::SeqCst)), ((0, 1), 2));
    }

    #[test]
    fn what_failed_or_panicked_is_thrown_away_and_its_place_is_free() {
        let (_clock, pool, _) = numbered(1);
        assert!(pool.with(|_| Err::<(), _>("broken")).is_err());
        assert_eq!(pool.with(|number| Ok::<_, Error>(*number)).unwrap(), 1);
        let panic = std::panic::AssertUnwindSafe(|| pool.with(|_| -> Fine { panic!("in between") }));
        assert!(std::panic::catch_unwind(panic).is_err());
        assert_eq!(pool.with(|number| Ok::<_, Error>(*number)).unwrap(), 2);
    }

    #[test]
    fn a_connection_that_cannot_be_opened_takes_no_place() {
        let failing = LazyPool::<()>::with_clock(clock(), 1, || Err("refused"));
        for _ in 0..2 {
            let error = failing.with(|_| -> Fine { Ok(()) }).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Outside);
            assert_eq!(error.to_string(), "a connection could not be opened: refused");
        }
    }

    #[test]
    fn who_waits_gets_what_is_given_back() {
        let (_clock, pool, opened) = numbered(1);
        std::thread::scope(|scope| {
            let waiter = pool.with(|_| {
                let waiter = scope.spawn(|| pool.with(|number| Ok::<_, Error>(*number)));
                while pool.shared.lock().waiting == 0 {
                    std::thread::yield_now();
                }
                Ok::<_, Error>(waiter)
            });
            assert_eq!(waiter.unwrap().join().unwrap().unwrap(), 0);
        });
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_waits_too_long_is_told_the_limit() {
        let (clock, pool, _) = numbered(1);
        let short = pool.clone().wait_at_most(Duration::from_secs(5));
        let (sent, told) = mpsc::channel();
        std::thread::scope(|scope| {
            pool.with(|_| -> Fine {
                let waiter = scope.spawn(|| sent.send(short.with(|_| -> Fine { Ok(()) })).unwrap());
                while !waiter.is_finished() {
                    clock.advance(Duration::from_secs(1));
                    std::thread::yield_now();
                }
                Ok(())
            })
            .unwrap();
        });
        let error = told.recv().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resources);
        assert!(error.to_string().starts_with("all 1 connections of a LazyPool were in use for 5s"), "{error}");
        assert!(pool.with(|_| -> Fine { Ok(()) }).is_ok());
    }

    #[test]
    fn a_limit_of_none_is_the_program_s_error() {
        let (_clock, pool, _) = numbered(0);
        assert_eq!(pool.with(|_| -> Fine { Ok(()) }).unwrap_err().kind(), ErrorKind::Program);
    }
}
