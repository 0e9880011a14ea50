//! [`WriteAheadLogs`]: which write-ahead log the inputs of a context have: ours, or the program's own.

use crate::context::StreamingContext;
use headwater_core::input::InputFolder;
use headwater_core::receiver::WriteAheadLog;
use headwater_core::{Closure, Result};
use headwater_storage::SegmentedWriteAheadLog;
use std::sync::{Arc, Mutex, PoisonError};

type Open = Arc<dyn Fn(InputFolder) -> Result<Arc<dyn WriteAheadLog>> + Send + Sync>;

/// Shared by the context and its inputs. Cloning copies the handle.
#[derive(Clone, Default)]
pub(crate) struct WriteAheadLogs(Arc<Mutex<Option<Open>>>);

impl WriteAheadLogs {
    /// The log of an input whose folder this is.
    pub(crate) fn open(&self, folder: InputFolder) -> Result<Arc<dyn WriteAheadLog>> {
        let own = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match own {
            Some(open) => open(folder),
            None => Ok(Arc::new(SegmentedWriteAheadLog::new(folder.storage, &folder.path, folder.epoch))),
        }
    }
}

impl StreamingContext {
    /// Lets the receivers of a durable application write to logs that `open` makes, one for each input, when the context
    /// starts; before or behind the inputs, the last call counts. Without it they write
    /// [`SegmentedWriteAheadLog`]s in the application's folder. Source: Spark's
    /// `spark.streaming.receiver.writeAheadLog.class`, which takes the name of a class.
    ///
    /// ```
    /// use headwater::{prelude::*, receiver::WriteAheadLog, testkit};
    /// use headwater_storage::SegmentedWriteAheadLog;
    /// use std::sync::Arc;
    /// let (ssc, _clock) = testkit::streaming_context();
    /// ssc.write_ahead_log(|folder| {
    ///     let log = SegmentedWriteAheadLog::new(folder.storage, &folder.path, folder.epoch);
    ///     Ok(Arc::new(log.segment_bytes(4 << 20)) as Arc<dyn WriteAheadLog>)
    /// });
    /// ssc.socket_text_stream("localhost", 9999).print();
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn write_ahead_log(&self, open: impl Fn(InputFolder) -> Result<Arc<dyn WriteAheadLog>> + Closure) {
        *self.logs.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(open));
    }
}
