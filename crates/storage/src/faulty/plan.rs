//! [`FaultPlan`]: which step of a process goes wrong, and how.

use headwater_core::{Error, ErrorKind};
use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// What a failing step reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The disk is full, an error of the kind `Resources`.
    DiskFull,
    /// The device or the store failed, an error of the kind `Outside`.
    Io,
}

impl Failure {
    pub(super) fn error(self, what: &str, path: &str) -> Error {
        let message = format!("cannot {what} {path}");
        match self {
            Failure::DiskFull => Error::new(ErrorKind::Resources, message + ": the disk is full; free some space")
                .because(io::Error::from(io::ErrorKind::StorageFull)),
            Failure::Io => Error::outside(message, io::Error::other("a fault that the test planned")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    CrashBefore,
    CrashAfter,
    Fail(Failure),
    FailAfter(Failure),
    FlipBit,
}

/// A test's code that runs in the middle of a process.
pub(super) type Hook = Box<dyn FnOnce() + Send>;

/// The faults that one process on a [`FaultyStorage`](crate::FaultyStorage) meets. Its durable steps are counted from 1:
/// opening a file to append, each append, each sync, each `put`, `put_new` and `remove`. What is chance (how much of an
/// unsynced write a crash leaves, which bit is changed) follows from the seed.
///
/// ```
/// use headwater_core::env::Storage;
/// use headwater_storage::{Failure, FaultPlan, FaultyStorage, MemoryStorage};
/// let plan = FaultPlan::new(7).fail(1, Failure::DiskFull).crash_before(3);
/// let storage = FaultyStorage::new(MemoryStorage::new(), plan);
/// assert!(storage.put("a", b"1").is_err());
/// assert!(storage.put("a", b"2").is_ok());
/// assert!(storage.put("a", b"3").is_err() && storage.read("a").is_err());
/// assert_eq!(storage.crash().read("a")?, Some(b"2".to_vec()));
/// # Ok::<(), headwater_core::Error>(())
/// ```
#[derive(Default)]
pub struct FaultPlan {
    pub(super) seed: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    pub(super) hooks: BTreeMap<u64, Hook>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn new(seed: u64) -> FaultPlan {
        FaultPlan { seed, ..FaultPlan::default() }
    }
    /// The process ends before the step; every later operation fails.
    pub fn crash_before(self, step: u64) -> FaultPlan {
        self.with(step, Fault::CrashBefore)
    }
    /// The process ends after the step, before it is told.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
    /// let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(7).crash_after(1));
    /// assert!(storage.put("a", b"1").is_err() && storage.has_crashed());
    /// assert_eq!((storage.steps(), storage.operations()), (1, 1));
    /// assert_eq!(storage.crash().read("a")?, Some(b"1".to_vec()));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn crash_after(self, step: u64) -> FaultPlan {
        self.with(step, Fault::CrashAfter)
    }
    /// The step fails: a part of an append may be there, all else has no effect.
    pub fn fail(self, step: u64, failure: Failure) -> FaultPlan {
        self.with(step, Fault::Fail(failure))
    }
    /// The step takes effect and yet fails, as a request does whose answer is lost.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// use headwater_storage::{Failure, FaultPlan, FaultyStorage, MemoryStorage};
    /// let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(7).fail_after(1, Failure::Io));
    /// assert!(storage.put("a", b"1").is_err());
    /// assert_eq!(storage.read("a")?, Some(b"1".to_vec()));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn fail_after(self, step: u64, failure: Failure) -> FaultPlan {
        self.with(step, Fault::FailAfter(failure))
    }
    /// One bit of what the step writes is stored wrong.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
    /// let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(7).flip_bit(1));
    /// storage.put("a", b"\0")?;
    /// assert_eq!(storage.read("a")?.unwrap()[0].count_ones(), 1);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn flip_bit(self, step: u64) -> FaultPlan {
        self.with(step, Fault::FlipBit)
    }
    /// Runs `hook` before the operation, counted from 1 over all operations, reads and listings too: the process is
    /// paused there while somebody else works.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
    /// let files = MemoryStorage::new();
    /// let other = files.clone();
    /// let plan = FaultPlan::new(7).before_operation(1, move || assert!(other.put_new("owner", b"other").unwrap()));
    /// let storage = FaultyStorage::new(files, plan);
    /// assert!(!storage.put_new("owner", b"me")?);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn before_operation(mut self, operation: u64, hook: impl FnOnce() + Send + 'static) -> FaultPlan {
        self.hooks.insert(operation, Box::new(hook));
        self
    }

    fn with(mut self, step: u64, fault: Fault) -> FaultPlan {
        self.faults.insert(step, fault);
        self
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "seed {}, {:?}, hooks at {:?}", self.seed, self.faults, self.hooks.keys())
    }
}
