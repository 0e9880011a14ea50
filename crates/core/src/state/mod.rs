//! Keyed state: what windows and state operators remember of each key from batch to batch, by versions. Between the shuffle that brings a batch's records to their keys and the operators that read the result.

mod clock;
mod cold;
mod fields;
mod given;
mod handle;
mod items;
mod keyed;
mod mapped;
mod memory;
mod operator;
mod spilling;
mod stage;
mod store;
mod table;
mod table_state;
mod update;
mod versions;
mod window;

pub use fields::FieldChanges;
pub use handle::State;
pub use items::{StateItem, StateItems};
pub(crate) use mapped::MapWithState;
pub(crate) use memory::StateMemory;
pub(crate) use operator::StateOperator;
pub(crate) use stage::{PartitionState, StateOutputs, StateRecords, StateStage, StateVersion, Step, all_entries};
pub(crate) use store::{Loader, Migrations, OperatorStore};
pub use store::{StateChange, StateLog, StateStore, StateTypes};
pub(crate) use update::{Update, UpdateState};
pub(crate) use window::{Inverse, Slide, TwoStacks, WindowLoader, Windowing};
