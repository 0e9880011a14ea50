//! [`DStream`]: a live stream cut into batches; a recipe that yields one [`Rdd`](crate::rdd::Rdd) per batch time. The
//! handle adds operators to the graph; `node.rs` keeps what was generated; [`DStreamGraph`] turns a time into jobs.

mod checkpoint;
mod count;
mod count_by_value;
mod filter;
mod flat_map;
mod for_each_partition;
mod foreach_rdd;
mod glom;
mod graph;
mod group_by_key_and_window;
mod handle;
mod input_batch;
mod join;
mod keyed;
mod map;
mod map_partitions;
mod map_values;
mod node;
mod operator_ids;
mod partition_by;
mod persist;
mod print;
mod reduce;
mod reduce_by_window;
mod remember;
mod repartition;
mod save_as_object_files;
mod save_as_text_files;
mod slice;
mod transform;
mod try_map;
mod union;
mod window;
mod window_span;

pub use foreach_rdd::{JobOutcome, OutputOperation};
pub use graph::{BatchJob, DStreamGraph};
pub use handle::DStream;
pub use save_as_text_files::rdd_to_file_name;
pub use window_span::Window;
