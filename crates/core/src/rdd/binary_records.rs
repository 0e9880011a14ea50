//! `binary_records`: files of records of one length, without anything between them.

use super::input_files::{InputFile, input_files};
use super::{CHUNK, FoundShuffles, Node, Outcome, PARTITIONS_MAX, Rdd, RddContext, Sink, Task};
use crate::env::FileSystem;
use crate::{Error, ErrorKind, Result};
use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a split: the work of one task. It has a record at least.
const SPLIT_BYTES: u64 = 32 << 20;
/// Bytes asked of the file system at a time.
const READ_BYTES: usize = 1 << 20;
/// Bytes of the records of a chunk, where they are long.
const CHUNK_BYTES: usize = 1 << 20;

impl RddContext {
    /// The records of `record_length` bytes of the files that `path` means, as for [`RddContext::text_file`], in splits of
    /// about 32 MiB. A length of 0, and a file that is no multiple of it, are errors at once. The files must not change
    /// while they are read. Source: Spark's `binaryRecords`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// let path = format!("{folder}/pairs");
    /// std::fs::write(&path, [1, 2, 3, 4]).unwrap();
    /// assert_eq!(context.binary_records(&path, 2)?.collect()?, [[1, 2], [3, 4]]);
    /// assert!(context.binary_records(&path, 3).err().unwrap().to_string().contains("no multiple"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn binary_records(&self, path: &str, record_length: usize) -> Result<Rdd<Vec<u8>>> {
        let length = record_length as u64;
        if record_length == 0 {
            return Err(Error::program(format!("binary_records({path:?}, 0): a record has at least 1 byte")));
        }
        let files = input_files(&*self.env().files, path)?;
        let mut splits = Vec::new();
        for (number, InputFile { path, bytes }) in files.iter().enumerate() {
            if bytes % length != 0 {
                return Err(Error::new(
                    ErrorKind::Data,
                    format!("{path} has {bytes} bytes, which is no multiple of the record length of {length}"),
                ));
            }
            let (records, wanted) = (bytes / length, bytes.div_ceil(SPLIT_BYTES).clamp(1, (bytes / length).max(1)));
            let cut = |n: u64| (u128::from(n) * u128::from(records) / u128::from(wanted)) as u64 * length;
            splits.extend((0..wanted).map(|n| (number, cut(n)..cut(n + 1))));
            if splits.len() > PARTITIONS_MAX {
                return Err(Error::program(format!("{path}: a dataset has at most {PARTITIONS_MAX} partitions")));
            }
        }
        let system = self.env().files.clone();
        Ok(Rdd::from_node(self, BinaryRecords { files, splits, record_length, system }))
    }
}

struct BinaryRecords {
    files: Vec<InputFile>,
    /// The number of a file, and its bytes.
    splits: Vec<(usize, Range<u64>)>,
    record_length: usize,
    system: Arc<dyn FileSystem>,
}

impl Node<Vec<u8>> for BinaryRecords {
    fn num_partitions(&self) -> usize {
        self.splits.len()
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, Vec<u8>>) -> Outcome {
        let (file, bytes) = &self.splits[task.partition()];
        let path = &self.files[*file].path;
        let mut input = BufReader::with_capacity(READ_BYTES, self.system.open(path, bytes.start)?);
        let mut left = ((bytes.end - bytes.start) / self.record_length as u64) as usize;
        let per_chunk = (CHUNK_BYTES / self.record_length).clamp(1, CHUNK);
        let mut chunk = Vec::with_capacity(per_chunk.min(left));
        while left > 0 {
            task.check()?;
            for _ in 0..per_chunk.min(left) {
                let mut record = vec![0; self.record_length];
                let read = input.read_exact(&mut record);
                read.map_err(|error| Error::outside(format!("cannot read {path}"), error))?;
                chunk.push(record);
            }
            left -= chunk.len();
            sink(&mut chunk)?;
        }
        Ok(())
    }
}
