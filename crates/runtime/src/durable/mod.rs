//! What the driver keeps so that the next process goes on where this one ended. `DIR` is the checkpoint folder:
//!
//! ```text
//! DIR/lock                    the process that runs, where the store has locks
//! DIR/fence/                  which process may commit
//! DIR/journal/                what the driver knows of batches, as events: `event.rs`, `driver_state.rs`
//! DIR/state/changes/          what each batch changed in keyed states: `state_logs.rs`
//! DIR/state/windows/          what each batch brought into windows by key
//! DIR/state/snapshots/N/      all states behind some batch: `snapshots.rs`
//! DIR/received/OPERATOR/      what receivers received
//! DIR/dead-letters/log/       records that operators set aside: `dead_letters.rs`
//! DIR/dead-letters/requests/  what somebody outside asks to be done with them
//! ```
//! A batch goes `Allocated` (synced), jobs, state changes (synced), `Committed` (synced), and is forgotten then.

mod dead_letters;
mod driver_state;
mod event;
pub mod folder;
mod loading;
mod numbers;
mod open;
mod plan;
mod record;
mod resume;
mod run;
mod snapshots;
mod state_logs;

pub(crate) use open::{OpenOptions, Opened, open, plan};
pub use plan::{Fate, OperatorFate, UpgradePlan};
pub(crate) use resume::{DownTime, Resumption};
pub(crate) use run::Durable;
