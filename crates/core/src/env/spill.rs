//! [`SpillSpace`]: scratch tables on disk, for keyed state that has no room in memory. A table is a cache: what is true
//! lies elsewhere, so nothing in it is made durable and nothing of it outlives the process.

use crate::Result;
use std::ops::Bound;

/// Bytes of a key of a [`SpillTable`] at most; a longer one is an error of [`SpillTable::write`].
pub const SPILL_KEY_BYTES_MAX: usize = 65_534;
/// A page of [`SpillTable::page`] ends behind so many bytes of keys and values.
pub const SPILL_PAGE_BYTES_MAX: usize = 8 << 20;

/// Where tables are made. Nothing is touched before the first of them is opened.
///
/// ```
/// use headwater::env::{SpillSpace, SpillTable};
/// use std::ops::Bound::{Excluded, Unbounded};
/// # let folder = headwater::testkit::temporary_folder();
/// let env = headwater::system_env();
/// let mut table = env.spill.open(Some(&folder), "counts")?;
/// let change = |key: &str, value: Option<&str>| (key.as_bytes().to_vec(), value.map(|text| text.as_bytes().to_vec()));
/// table.write(&mut [change("a", Some("1")), change("b", Some("2")), change("c", Some("3"))].into_iter())?;
/// table.write(&mut [change("b", None)].into_iter())?;
/// assert_eq!((table.get(b"a")?, table.get(b"b")?), (Some(b"1".to_vec()), None));
/// assert_eq!(table.page((Excluded(b"a"), Unbounded), 100)?, [(b"c".to_vec(), b"3".to_vec())]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub trait SpillSpace: Send + Sync {
    /// Makes an empty table below the folder `local_dir` or, without one, below the system's folder for temporary
    /// files. It is called `name` in errors, which need not be unique, and gone when it is dropped.
    fn open(&self, local_dir: Option<&str>, name: &str) -> Result<Box<dyn SpillTable>>;
}

/// Values by key, both any bytes: a key of 0 to [`SPILL_KEY_BYTES_MAX`], a value of less than 4 GiB. Errors name the
/// table and where it is.
pub trait SpillTable: Send {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Takes over `changes` in their order: a key has that value from here on, `None` removes it. After an error any
    /// part of them may be there.
    fn write(&mut self, changes: &mut dyn Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) -> Result<()>;
    /// The records with keys inside of `range`, in the order of their keys' bytes, from its beginning: at most `limit`,
    /// and none behind [`SPILL_PAGE_BYTES_MAX`] bytes. Only an empty page says that there are no more; the next one
    /// begins behind (`Excluded`) the last key of this.
    fn page(&self, range: (Bound<&[u8]>, Bound<&[u8]>), limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>>;
    /// Bytes of its files. What was written last may still be in memory and is not among them.
    fn bytes_on_disk(&self) -> u64;
}
