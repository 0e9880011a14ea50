//! [`TableSink`]: all batches of a stream in one folder, in files of a good size, exactly once.

mod manifest;
mod part_names;
mod place;
mod prepared_files;
mod reader;
mod small_files;
mod store;

pub use reader::{TableFile, TableReader};

use crate::formats::TableFormat;
use crate::sink::disk::Disk;
use crate::sink::local_path::check_local;
use crate::sink::part_file::PartFile;
use crate::sink::staging::Staging;
use headwater_core::env::Env;
use headwater_core::rdd::PartitionRecords;
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Record, Result};
use place::Place;
use prepared_files::{PreparedFiles, WrittenFile};
use small_files::small_files;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::Store;

/// From so many bytes on a file is closed and another begun.
const ROLL_BYTES: u64 = 128 << 20;
/// Writes all batches into one folder, as files `part-<output>-<number>-<number>[.suffix]`, and notes in a manifest which
/// files count: [`FileSink::table`](crate::FileSink::table) makes one. With a checkpoint folder each batch is there
/// exactly once, whatever process ended when. Several outputs may write to one table, each with a manifest of its own.
///
/// # What readers see
/// A [`TableReader`] sees each batch as a whole or not at all, and each record once. A reader that lists the folder sees
/// whole files of committed batches only, and passes over `_headwater`, as Hadoop and Spark do; but it may see
/// - of the newest batch some files and not yet others, for as long as a few renames take, or until the next start where a
///   process ended in between;
/// - while small files are merged, records twice: the merged file comes, then those that are in it go. It never misses a
///   record by that, unless it has listed the folder before and finds that a file is gone.
///
/// # Sizes
/// A task begins another file behind [`roll_bytes`](TableSink::roll_bytes). With [`compact`](TableSink::compact) the files
/// of finished batches that are smaller than half of the target are merged behind a commit, as soon as they come to the
/// target together, or are 64. Merging reads and writes records again, on the thread that commits. What fails there is a
/// warning: the files stay as they are, and it is tried again behind the next batch. A file that somebody has removed is told
/// once, and the others are merged without it. Metadata are a line for each file in
/// each of two snapshots, and the events behind the older one, at most 64.
///
/// # A lost manifest
/// Where the journal knows of a committed batch and the manifest of none as new, the start fails: `_headwater`, or a file of
/// it, was removed or is an older copy. Put it back, or see [`accept_lost_ledger`](TableSink::accept_lost_ledger). No file is
/// ever replaced by another.
///
/// Errors are those of [`FileSink`](crate::FileSink). An output that has written files in one format fails the start in another.
pub struct TableSink<F> {
    format: F,
    folder: String,
    suffix: String,
    roll_bytes: u64,
    compact_bytes: Option<u64>,
    accepts_lost_ledger: bool,
    /// Known on the driver, from the start on.
    store: Mutex<Option<Store>>,
}

impl<F> TableSink<F> {
    pub(crate) fn new(folder: String, format: F) -> TableSink<F> {
        TableSink {
            format,
            folder,
            suffix: String::new(),
            roll_bytes: ROLL_BYTES,
            compact_bytes: None,
            accepts_lost_ledger: false,
            store: Mutex::new(None),
        }
    }
    /// What the names of the files end with, behind a dot.
    pub fn suffix(self, suffix: impl Into<String>) -> TableSink<F> {
        TableSink { suffix: suffix.into(), ..self }
    }
    /// From how many bytes on a file is closed and another begun: 128 MiB unless set.
    pub fn roll_bytes(self, bytes: u64) -> TableSink<F> {
        TableSink { roll_bytes: bytes, ..self }
    }
    /// Small files are merged into files of about so many bytes.
    pub fn compact(self, target_bytes: u64) -> TableSink<F> {
        TableSink { compact_bytes: Some(target_bytes), ..self }
    }
    /// Goes on behind the last committed batch where the manifest has lost what it knew, instead of failing the start; files
    /// that are not in it stay as they are. For one start, by someone who has looked at the folder: with it the next loss
    /// would pass unseen.
    pub fn accept_lost_ledger(self) -> TableSink<F> {
        TableSink { accepts_lost_ledger: true, ..self }
    }

    fn staging(&self, operator: &str) -> Staging {
        Staging::new(&self.folder, "table", operator)
    }
    fn with_store<R>(&self, body: impl FnOnce(&mut Store) -> Result<R>) -> Result<R> {
        let missing = || Error::new(ErrorKind::Internal, "a table is committed to before recover was called");
        body(self.store().as_mut().ok_or_else(missing)?)
    }
    fn store(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Writes records into files of a folder, each up to the size of a file.
    fn write<T>(
        &self,
        env: &Env,
        folder: &str,
        roll_bytes: u64,
        records: impl Iterator<Item = T>,
        refuse: impl Fn(usize, Error) -> Result<()>,
    ) -> Result<Vec<WrittenFile>>
    where
        F: TableFormat<T>,
    {
        let (disk, mut records, mut files) = (Disk(&*env.files), records.enumerate().peekable(), Vec::new());
        while records.peek().is_some() {
            // Chance keeps apart what two machines have called the same.
            let name = format!("{}-{:016x}", files.len(), env.random.next_u64());
            let file = PartFile::create(disk, format!("{folder}/{name}"))?;
            let is_full = |bytes| bytes >= roll_bytes.max(1);
            let (records, bytes) = file.write(env, &self.format, &mut records, is_full, &refuse)?;
            // Where all were refused it goes with the folder.
            if records > 0 {
                files.push(WrittenFile { name, records, bytes });
            }
        }
        disk.sync_folder(folder)?;
        Ok(files)
    }
    /// Merges small files, if there are enough.
    fn merge<T>(&self, env: &Env, store: &mut Store, target_bytes: u64) -> Result<()>
    where
        F: TableFormat<T>,
        T: 'static,
    {
        let small = small_files(env, store, target_bytes)?;
        if small.is_empty() {
            return Ok(());
        }
        let (disk, folder) = (Disk(&*env.files), store.merge_folder(Disk(&*env.files))?);
        let (mut failed, mut paths) = (None, small.iter().map(|name| store.path(name)));
        let opened = std::iter::from_fn(|| Some(self.open(disk, &paths.next()?)));
        let records = opened.flat_map(|opened| match opened {
            Ok(records) => records,
            Err(error) => Box::new(std::iter::once(Err(error))),
        });
        let records = records.map_while(|record| record.map_err(|error| failed = Some(error)).ok());
        let written = self.write(env, &folder, target_bytes, records, |_, error| Err(error));
        match failed.map_or(written, Err) {
            Ok(files) => store.replace(disk, &PreparedFiles { folder, files }, small),
            Err(error) => {
                // If that fails too it goes with the next start.
                let _left = disk.remove_folder(&folder);
                Err(error)
            }
        }
    }
    fn open<T>(&self, disk: Disk<'_>, path: &str) -> Result<crate::formats::Records<T>>
    where
        F: TableFormat<T>,
    {
        self.format.read(disk.open(path)?, path)
    }
}

impl<T: Record, F: TableFormat<T>> Sink<T> for TableSink<F> {
    fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
        check_local("FileSink::table", &self.folder)?;
        if self.folder.is_empty() || self.folder.contains('\0') || self.suffix.contains(['\0', '/']) {
            let (folder, suffix) = (&self.folder, &self.suffix);
            let message =
                format!("a table in {folder:?} with the suffix {suffix:?}: a name, no NUL bytes, no / in a suffix");
            return Err(Error::program(message));
        }
        let place = Place {
            folder: &self.folder,
            suffix: &self.suffix,
            data_format: self.format.name(),
            accepts_lost_ledger: self.accepts_lost_ledger,
        };
        let store = Store::open(&place, self.staging(output.operator), output)?;
        *self.store() = Some(store);
        Ok(())
    }
    fn newest(&self, output: &SinkOutput<'_>) -> Result<Option<Time>> {
        self.with_store(|store| Ok(store.newest(output.application)))
    }
    fn prepare(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> Result<Vec<u8>> {
        let disk = Disk(&*part.env.files);
        let written = self.staging(part.operator).new_attempt(disk, part.time).and_then(|folder| {
            let refuse = |index, error| part.refuse(index, error);
            match self.write(part.env, &folder, self.roll_bytes, records, refuse) {
                Ok(files) => Ok(PreparedFiles { folder, files }.to_bytes()),
                Err(error) => {
                    // Half of a file, of which a full disk has the least need. If that fails too it goes with the batch.
                    let _left = disk.remove_folder(&folder);
                    Err(error)
                }
            }
        });
        // On a worker nothing is known of who has taken over.
        written.map_err(|error| match &*self.store() {
            Some(store) => store.cause(disk, error),
            None => error,
        })
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let (env, disk) = (batch.output.env, Disk(&*batch.output.env.files));
        let parts = parts.iter().map(|part| PreparedFiles::from_bytes(part)).collect::<Result<Vec<_>>>()?;
        self.with_store(|store| {
            store.commit(disk, batch, &parts)?;
            let prepared = store.staging.prepared(batch.time);
            if let Err(error) = disk.remove_folder(&prepared) {
                env.console.warn(&format!("{prepared} is left until the next start: {error}"));
            }
            if let Some(target_bytes) = self.compact_bytes
                && let Err(error) = self.merge::<T>(env, store, target_bytes)
            {
                env.console.warn(&format!("small files of {} are merged later: {error}", self.folder));
            }
            Ok(())
        })
    }
    fn abort(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        // Not what lies in `pending`: a commit whose error came behind its effect has an event that names it.
        let disk = Disk(&*batch.output.env.files);
        parts.iter().try_for_each(|part| disk.remove_folder(&PreparedFiles::from_bytes(part)?.folder))?;
        self.with_store(|store| store.abandon(disk, batch.time))
    }
}
