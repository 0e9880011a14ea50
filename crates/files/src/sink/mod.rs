//! [`FileSink`]: each batch of a stream in a folder of its own, exactly once. At the end of a batch's way: tasks write
//! files that nobody sees, the driver renames them.

mod batch_folders;
pub(crate) mod disk;
pub(crate) mod ledger;
pub(crate) mod local_path;
mod note;
pub(crate) mod part_file;
mod prepared;
pub(crate) mod staging;

use crate::formats::{Csv, FileFormat, JsonLines, ObjectFiles, SequenceFileOutputFormat, TextLines};
use crate::sequence_file::Compression;
use crate::table::TableSink;
use batch_folders::{BatchFolders, part_path};
use disk::Disk;
use headwater_core::rdd::PartitionRecords;
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::time::Time;
use headwater_core::{Record, Result};
use part_file::PartFile;
use prepared::Prepared;

/// Writes each batch into the folder `prefix-<ms>[.suffix]`, one file a partition (`part-00000`, ...) and `_SUCCESS`, as
/// Spark does. With a checkpoint folder each batch is there exactly once, whatever process ended when: for
/// [`DStream::write_to`](headwater_core::DStream::write_to).
///
/// # What a reader sees
/// A folder is there as a whole or not at all, since it gets its name by one rename, and it never changes; then it survives
/// a crash of the machine. What is not committed lies in `_headwater` beside the folders, on the same file system, where
/// Hadoop, Spark and Headwater do not look. A reader may take a folder away as soon as a later one is there: the batch does
/// not come again, also behind a crash. An empty batch is a folder without records, unless
/// [`skip_empty_batches`](FileSink::skip_empty_batches) says otherwise.
///
/// # One writer
/// An output has one writer at a place: the process that started last. An older one that still runs, or runs again, is told
/// so by an error of the kind [`Fenced`](headwater_core::ErrorKind::Fenced) and makes nothing visible, also where it
/// is of another application. A hidden file `.headwater` in each folder names application, output and batch; a folder that is
/// there already and was made by somebody else is an error, and is left as it is. Give the output a name for good
/// with `.uid("...")`, since it is by this name that its batches are known again.
///
/// # A lost ledger
/// The newest batch is noted in `_headwater`. Where the journal knows of a committed batch and the note of none as new, it
/// was removed or is an older copy, and the start fails. Put it back, or see
/// [`accept_lost_ledger`](FileSink::accept_lost_ledger).
///
/// # Errors
/// A prefix that cannot be, or that names another store (`hdfs://`, `s3://`), fails the start. A full disk is of the kind `Resources`; a folder that may not be written to, was removed while the program ran, or is
/// somebody else's is `Program`; all else that a disk does is `Outside`. None of them loses or doubles a batch: it is tried
/// again as [`on_failure`](headwater_core::dstream::OutputOperation::on_failure) says, or by the next process.
pub struct FileSink<F> {
    format: F,
    folders: BatchFolders,
}

impl FileSink<TextLines> {
    /// Text files: a line for each record, in its `Display` form.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::FileSink;
    ///
    /// let folder = testkit::temporary_folder();
    /// testkit::printed([vec!["to".to_string(), "be".into()], vec!["or".into()]], |words: DStream<String>| {
    ///     words.write_to(FileSink::text(format!("{folder}/words")).suffix("txt")).uid("words")
    /// });
    /// let read = |file: &str| std::fs::read_to_string(format!("{folder}/words-{file}")).unwrap();
    /// assert_eq!((read("1000.txt/part-00000"), read("1000.txt/part-00001")), ("to\n".into(), "be\n".into()));
    /// assert!(std::fs::exists(format!("{folder}/words-2000.txt/_SUCCESS")).unwrap());
    /// ```
    pub fn text(prefix: impl Into<String>) -> FileSink<TextLines> {
        FileSink::of(TextLines, prefix)
    }
}

impl FileSink<JsonLines> {
    /// Files of JSON: a line for each record.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::FileSink;
    ///
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Count {
    ///     word: String,
    ///     count: u64,
    /// }
    /// let folder = testkit::temporary_folder();
    /// let counts = [vec![Count { word: "to\nbe".into(), count: 2 }]];
    /// testkit::printed(counts, |counts: DStream<Count>| {
    ///     counts.write_to(FileSink::json_lines(format!("{folder}/counts"))).uid("counts")
    /// });
    /// let text = std::fs::read_to_string(format!("{folder}/counts-1000/part-00001")).unwrap();
    /// assert_eq!(text, "{\"word\":\"to\\nbe\",\"count\":2}\n");
    /// ```
    pub fn json_lines(prefix: impl Into<String>) -> FileSink<JsonLines> {
        FileSink::of(JsonLines, prefix)
    }
}

impl FileSink<Csv> {
    /// Files of comma-separated values, with the names of the fields as their first line;
    /// [`without_header`](FileSink::without_header) leaves it out.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::FileSink;
    ///
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Sale {
    ///     item: String,
    ///     sold: u64,
    /// }
    /// let sale = |item: &str, sold| Sale { item: item.into(), sold };
    /// let folder = testkit::temporary_folder();
    /// testkit::printed([vec![sale("cup", 1), sale("pot, \"large\"", 2)]], |sales: DStream<Sale>| {
    ///     sales.write_to(FileSink::csv(format!("{folder}/sales")).suffix("csv")).uid("sales")
    /// });
    /// let read = |part: &str| std::fs::read_to_string(format!("{folder}/sales-1000.csv/{part}")).unwrap();
    /// assert_eq!(read("part-00001"), "item,sold\n\"pot, \"\"large\"\"\",2\n");
    /// ```
    pub fn csv(prefix: impl Into<String>) -> FileSink<Csv> {
        FileSink::of(Csv::new(), prefix)
    }
    /// No line with the names of the fields.
    pub fn without_header(self) -> FileSink<Csv> {
        FileSink { format: Csv::without_header(), ..self }
    }
}

impl FileSink<ObjectFiles> {
    /// Files of records as they are, for [`object_file`](headwater_core::RddContext::object_file).
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::FileSink;
    ///
    /// let folder = testkit::temporary_folder();
    /// testkit::printed([vec![(1, 'a'), (2, 'b')], vec![(3, 'c')]], |pairs: DStream<(i32, char)>| {
    ///     pairs.write_to(FileSink::object_files(format!("{folder}/pairs"))).uid("pairs")
    /// });
    /// let pairs = testkit::context().object_file::<(i32, char)>(&format!("{folder}/pairs-*")).unwrap();
    /// assert_eq!(pairs.collect().unwrap(), [(1, 'a'), (2, 'b'), (3, 'c')]);
    /// ```
    pub fn object_files(prefix: impl Into<String>) -> FileSink<ObjectFiles> {
        FileSink::of(ObjectFiles, prefix)
    }
}

impl FileSink<SequenceFileOutputFormat> {
    /// Hadoop's SequenceFiles, of the keys and values of pairs.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::FileSink;
    /// use headwater_files::sequence_file::{Codec, Compression, Reader, ReaderOptions};
    ///
    /// let folder = testkit::temporary_folder();
    /// testkit::printed([vec![("to".to_string(), 2), ("be".to_string(), 1)]], |counts: DStream<(String, i32)>| {
    ///     let sink = FileSink::sequence_files(format!("{folder}/counts"), Compression::Block(Codec::Default));
    ///     counts.write_to(sink).uid("counts")
    /// });
    /// let (files, path) = (headwater::system_env().files, format!("{folder}/counts-1000/part-00001"));
    /// let mut counts = Reader::<String, i32>::open(&*files, &path, ReaderOptions::new())?;
    /// assert_eq!(counts.next_record()?, Some(("be".to_string(), 1)));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn sequence_files(prefix: impl Into<String>, compression: Compression) -> FileSink<SequenceFileOutputFormat> {
        FileSink::of(SequenceFileOutputFormat { compression }, prefix)
    }
}

impl FileSink<()> {
    /// All batches in one folder, in files of a good size: see [`TableSink`].
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::{FileSink, TableReader, formats::JsonLines};
    ///
    /// let folder = testkit::temporary_folder();
    /// let table = format!("{folder}/numbers");
    /// testkit::printed([vec![1, 2], vec![], vec![3]], |numbers: DStream<u64>| {
    ///     let sink = FileSink::table(&table, JsonLines).suffix("json").compact(6);
    ///     numbers.write_to(sink).uid("numbers")
    /// });
    /// let reader = TableReader::open(headwater::system_env().files, &table, JsonLines)?;
    /// assert_eq!(reader.records::<u64>().collect::<headwater::Result<Vec<_>>>()?, [1, 2, 3]);
    /// assert_eq!(reader.files().len(), 1); // Each partition made one, and then they came to six bytes together.
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn table<F>(folder: impl Into<String>, format: F) -> TableSink<F> {
        TableSink::new(folder.into(), format)
    }
}

impl<F> FileSink<F> {
    /// Files of any format, also of one's own: [`FileFormat`] has an example.
    pub fn of(format: F, prefix: impl Into<String>) -> FileSink<F> {
        FileSink { format, folders: BatchFolders::new(prefix.into()) }
    }
    /// What the names of the folders end with, behind a dot.
    pub fn suffix(mut self, suffix: impl Into<String>) -> FileSink<F> {
        self.folders.suffix = suffix.into();
        self
    }
    /// Goes on behind the last committed batch where the ledger in `_headwater` has lost what it knew, instead of failing the
    /// start. For one start, by someone who has looked at the folders: with it the next loss would pass unseen.
    pub fn accept_lost_ledger(mut self) -> FileSink<F> {
        self.folders.accepts_lost_ledger = true;
        self
    }
    /// A batch without records makes no folder.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::FileSink;
    ///
    /// let folder = testkit::temporary_folder();
    /// testkit::printed([vec![1], vec![], vec![2]], |numbers: DStream<i32>| {
    ///     numbers.write_to(FileSink::text(format!("{folder}/numbers")).skip_empty_batches()).uid("numbers")
    /// });
    /// let is_there = [1000, 2000, 3000].map(|batch| std::fs::exists(format!("{folder}/numbers-{batch}")).unwrap());
    /// assert_eq!(is_there, [true, false, true]);
    /// ```
    pub fn skip_empty_batches(mut self) -> FileSink<F> {
        self.folders.skips_empty = true;
        self
    }
}

impl<F> FileSink<F> {
    /// Writes a partition into a folder of its own.
    fn write_part<T>(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> Result<Vec<u8>>
    where
        F: FileFormat<T>,
        T: 'static,
    {
        let disk = Disk(&*part.env.files);
        let folder = self.folders.staging(part.operator).new_attempt(disk, part.time)?;
        let mut records = records.enumerate();
        let refuse = |index, error| part.refuse(index, error);
        let written = PartFile::create(disk, part_path(&folder, part.partition))
            .and_then(|file| file.write(part.env, &self.format, &mut records, |_| false, refuse));
        match written {
            Ok((records, _)) => Ok(Prepared { records, folder }.to_bytes()),
            Err(error) => {
                // Half of a file, of which a full disk has the least need. If that fails too it goes with the batch.
                let _left = disk.remove_folder(&folder);
                Err(error)
            }
        }
    }
}

impl<T: Record, F: FileFormat<T>> Sink<T> for FileSink<F> {
    fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
        self.folders.recover(output)
    }
    fn newest(&self, output: &SinkOutput<'_>) -> Result<Option<Time>> {
        Ok(self.folders.newest(output.application))
    }
    fn prepare(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> Result<Vec<u8>> {
        let disk = Disk(&*part.env.files);
        self.write_part(part, records).map_err(|error| self.folders.cause(disk, part.operator, error))
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        self.folders.commit(batch, parts)
    }
    fn abort(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        self.folders.abort(batch, parts)
    }
}
