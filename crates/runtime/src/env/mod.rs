//! The real environment: the one place that reads the clock, the disk and the network and starts threads.

mod clock;
mod console;
mod files;
mod network;
mod random;
mod spawner;

pub(crate) use spawner::SystemSpawner;

use headwater_core::env::Env;
use std::sync::Arc;

/// The machine's own clock, threads, disk, network and console.
pub fn system_env() -> Env {
    Env {
        clock: Arc::new(clock::SystemClock::new()),
        random: Arc::new(random::SystemRandom),
        spawner: Arc::new(spawner::SystemSpawner),
        files: Arc::new(files::LocalFiles),
        network: Arc::new(network::TcpNetwork),
        console: Arc::new(console::SystemConsole),
    }
}
