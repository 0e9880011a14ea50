//! [`WriteAheadLog`]: where received blocks become durable, before anybody acknowledges them or a batch has them. Ours is
//! in `headwater-storage`; a program may bring its own.

use crate::Result;

/// Bytes of a handle at most.
pub const HANDLE_BYTES_MAX: usize = 255;
/// Bytes of a record that we write at most.
pub const RECORD_BYTES_MAX: usize = 32 << 20;

/// Where a record is in its log: bytes that the log itself made, and that every later version of it understands, since they
/// are kept in journals.
///
/// ```
/// use headwater::receiver::RecordHandle;
/// let handle = RecordHandle::new(b"segment 7, byte 12")?;
/// assert_eq!(handle.as_bytes(), b"segment 7, byte 12");
/// assert!(RecordHandle::new(&[0; 256]).is_err());
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RecordHandle(Box<[u8]>);

impl RecordHandle {
    /// A handle of these bytes, of which there are from one to [`HANDLE_BYTES_MAX`].
    pub fn new(bytes: &[u8]) -> Result<RecordHandle> {
        if bytes.is_empty() || bytes.len() > HANDLE_BYTES_MAX {
            let length = bytes.len();
            return Err(crate::Error::program(format!(
                "a record's handle has {length} bytes: it may have from 1 to {HANDLE_BYTES_MAX}"
            )));
        }
        Ok(RecordHandle(bytes.into()))
    }
    /// What it was made of.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A log of one input's received blocks. Its user, who calls it from several threads, keeps to an order: one
/// [`read_all`](WriteAheadLog::read_all) comes first; [`write`](WriteAheadLog::write)s come one at a time, while
/// [`read`](WriteAheadLog::read) and [`clean`](WriteAheadLog::clean) may come at any time behind. Source: Spark's
/// `WriteAheadLog`, where a write is one record and cleaning goes by time.
///
/// Errors: of the kind `Fenced` where another process has begun to write, after which nothing is tried again; all
/// others may pass. Each names the file or service.
///
/// ```
/// use headwater::receiver::WriteAheadLog;
/// use headwater_storage::{MemoryStorage, SegmentedWriteAheadLog};
/// let storage = std::sync::Arc::new(MemoryStorage::new());
/// let log = SegmentedWriteAheadLog::new(storage.clone(), "run/lines", 1);
/// log.read_all(None, &mut |_, _| unreachable!("it is empty"))?;
/// let handles = log.write(&[b"to be", b"or not"])?;
/// assert_eq!(log.read(&handles[1])?, b"or not");
///
/// let (next, mut found) = (SegmentedWriteAheadLog::new(storage, "run/lines", 2), Vec::new());
/// next.read_all(None, &mut |_, record| Ok(found.push(record)))?;
/// assert_eq!(found, [&b"to be"[..], b"or not"]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub trait WriteAheadLog: Send + Sync {
    /// Hands over every record that is there, in the order in which they were written: what an earlier process wrote and
    /// was told to be durable, and perhaps more that it was not. `from` is where it may begin: records before it may be
    /// gone, or be handed over all the same; without it, the beginning. What stands behind the last good record and was
    /// never durable is passed over; a warning is returned for it. Damage to what was durable is an error.
    fn read_all(
        &self,
        from: Option<&RecordHandle>,
        each: &mut dyn FnMut(RecordHandle, Vec<u8>) -> Result<()>,
    ) -> Result<Vec<String>>;
    /// Appends the records, in this order. On return all of them are durable, and a process that begins later reads them,
    /// also if another has replaced this one meanwhile. After an error each may be there or not; its user writes the same
    /// again.
    fn write(&self, records: &[&[u8]]) -> Result<Vec<RecordHandle>>;
    /// The record there, whichever process wrote it.
    fn read(&self, handle: &RecordHandle) -> Result<Vec<u8>>;
    /// Nobody asks again for records before this one, which may be removed; it stays.
    fn clean(&self, before: &RecordHandle) -> Result<()>;
}
