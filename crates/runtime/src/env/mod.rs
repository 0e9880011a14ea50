//! The real environment: the one place that reads the clock, the disk, the network and environment variables, handles
//! signals and starts threads.

mod clock;
mod console;
mod files;
mod network;
mod random;
mod signals;
mod spawner;
pub(crate) mod spill;
mod variables;

pub(crate) use spawner::SystemSpawner;
pub(crate) use variables::variables;

use headwater_core::env::Env;
use headwater_storage::LocalStorage;
use std::sync::Arc;

/// The machine's own clock, threads, disk, network, console and signals.
pub fn system_env() -> Env {
    Env {
        clock: Arc::new(clock::SystemClock::new()),
        random: Arc::new(random::SystemRandom),
        spawner: Arc::new(spawner::SystemSpawner),
        files: Arc::new(files::LocalFiles),
        storage: Arc::new(LocalStorage::new()),
        spill: Arc::new(spill::DiskSpill::default()),
        network: Arc::new(network::TcpNetwork),
        console: Arc::new(console::SystemConsole),
        signals: Arc::new(signals::SystemSignals),
    }
}
