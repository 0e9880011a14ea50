//! The environment: clock, randomness, threads, disk, scratch tables, network, console and signals, as trait objects given
//! at construction. Nothing else in Headwater reads the time, the disk or a socket, so that a test can run a day of batches
//! in a millisecond and a simulation can fail any step. Real implementations live in the runtime, that of [`Storage`] in
//! `headwater-storage`.

mod clock;
mod console;
mod files;
mod network;
mod random;
mod signals;
mod spawner;
mod spill;
mod storage;

pub use clock::{Clock, ManualClock};
pub use console::Console;
pub use files::{FileSystem, FileWriter, FolderEntry};
pub use network::{Connection, Network};
pub use random::Random;
pub use signals::{Signal, SignalSubscription, Signals};
pub use spawner::{Spawner, Thread};
pub use spill::{SPILL_KEY_BYTES_MAX, SPILL_PAGE_BYTES_MAX, SpillSpace, SpillTable};
pub use storage::{AppendFile, Storage, StorageLock, StoredFile};

use std::sync::Arc;

/// All of it, handed down from the context. Cloning copies the handles.
#[derive(Clone)]
pub struct Env {
    /// What time it is, and waiting.
    pub clock: Arc<dyn Clock>,
    /// Seeds.
    pub random: Arc<dyn Random>,
    /// Threads.
    pub spawner: Arc<dyn Spawner>,
    /// Files and folders.
    pub files: Arc<dyn FileSystem>,
    /// Durable files: checkpoints and logs.
    pub storage: Arc<dyn Storage>,
    /// Scratch tables on disk, for state that has no room in memory.
    pub spill: Arc<dyn SpillSpace>,
    /// Outgoing connections.
    pub network: Arc<dyn Network>,
    /// What a person reads: `print()` and warnings.
    pub console: Arc<dyn Console>,
    /// Requests that the process end.
    pub signals: Arc<dyn Signals>,
}
