//! [`StateStatus`]: what the keyed state of a context takes.

/// What keyed state takes: of all partitions of all operators with state, as the newest batch has left it. Where the
/// state lies with other processes than this one, it does not count.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// let (ssc, clock) = testkit::streaming_context();
/// let numbers = testkit::test_input(&ssc, vec![Some(vec![2, 8, 1, 3, 2, 8u64])], 2);
/// let spec = StateSpec::function(|_: &u64, _: Option<()>, count: &mut State<u64>| {
///     count.update(count.get().unwrap_or(&0) + 1);
/// });
/// numbers.map(|number| (number, ())).map_with_state(spec).stream().foreach_rdd(|rdd, _| rdd.count().map(|_| ()));
/// let context = ssc.context().clone();
/// let running = ssc.start()?;
/// clock.advance(seconds(1));
/// running.await_batches(1)?;
/// let status = context.state_status();
/// assert_eq!((status.keys, status.spilled_keys, status.disk_bytes), (4, 0, 0));
/// assert!(status.memory_bytes / status.keys >= 16, "two numbers of 8 bytes");
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StateStatus {
    /// Keys that have a state, in memory and on disk.
    pub keys: usize,
    /// The memory that state takes: exactly that of its tables, vacant places too, and by estimate what keys and states
    /// own besides. Of windows by key the table of the keys alone. What the newest batch changed lies there twice until
    /// the next one has ended, and does not count.
    pub memory_bytes: usize,
    /// Those of the keys that are on disk.
    pub spilled_keys: usize,
    /// The bytes of the files that those are in.
    pub disk_bytes: u64,
}
