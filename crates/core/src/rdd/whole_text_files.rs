//! `whole_text_files`: each file is one record.

use super::input_files::{InputFile, input_files};
use super::{FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::env::Env;
use crate::text::{Block, Text};
use crate::{Error, ErrorKind, Result};
use std::io::Read;

/// The longest file: it is in memory as a whole, and a text is shorter than 2 GiB.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Bytes asked of the file system at a time.
const READ_BYTES: u64 = 1 << 20;

impl RddContext {
    /// The files that `path` means, as for [`RddContext::text_file`]: the path and the content of each. Files that lie
    /// next to each other share a partition, so that there are about `min_partitions` of equal size, and at least one.
    /// For small files: a task holds one in memory as a whole, and one above 1 GiB is an error at once. Bytes that are
    /// not UTF-8 are replaced by U+FFFD with a warning. Source: Spark's `wholeTextFiles`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// std::fs::write(format!("{folder}/poem"), "to be\nor not\n").unwrap();
    /// let files = context.whole_text_files(&folder, 1)?;
    /// assert_eq!(files.collect()?, [(format!("{folder}/poem"), "to be\nor not\n".into())]);
    /// assert_eq!(files.flat_map(|(_, content)| content.lines()).collect()?, ["to be", "or not"]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn whole_text_files(&self, path: &str, min_partitions: usize) -> Result<Rdd<(String, Text)>> {
        let files = input_files(&*self.env().files, path)?;
        if let Some(InputFile { path, bytes }) = files.iter().find(|file| file.bytes > FILE_BYTES_MAX) {
            return Err(Error::program(format!(
                "{path} has {bytes} bytes, and whole_text_files takes files of {FILE_BYTES_MAX} at most; read its lines \
                 with text_file"
            )));
        }
        let groups = min_partitions.clamp(1, files.len().max(1));
        let all: u128 = files.iter().map(|file| u128::from(file.bytes) + 1).sum();
        let (mut partitions, mut before, mut last) = (Vec::<Vec<InputFile>>::new(), 0, usize::MAX);
        for file in files {
            let group = (before * groups as u128 / all) as usize;
            before += u128::from(file.bytes) + 1;
            if group != last {
                partitions.push(Vec::new());
                last = group;
            }
            partitions.last_mut().expect("the first file has a group of its own").push(file);
        }
        Ok(Rdd::from_node(self, WholeTextFiles { partitions, env: self.env().clone() }))
    }
}

struct WholeTextFiles {
    partitions: Vec<Vec<InputFile>>,
    env: Env,
}

impl Node<(String, Text)> for WholeTextFiles {
    fn num_partitions(&self) -> usize {
        self.partitions.len()
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (String, Text)>) -> Outcome {
        let mut chunk = Vec::with_capacity(1);
        for file in &self.partitions[task.partition()] {
            let bytes = self.read(file, task)?;
            chunk.push((file.path.clone(), self.text(file, &bytes)));
            drop(bytes);
            sink(&mut chunk)?;
        }
        Ok(())
    }
}

impl WholeTextFiles {
    fn read(&self, file: &InputFile, task: &Task<'_>) -> Result<Vec<u8>, super::Stop> {
        let mut input = self.env.files.open(&file.path, 0)?;
        let mut bytes = Vec::with_capacity(file.bytes as usize + 1);
        loop {
            task.check()?;
            let read = (&mut input).take(READ_BYTES).read_to_end(&mut bytes);
            let read = read.map_err(|error| Error::outside(format!("cannot read {}", file.path), error))?;
            if bytes.len() as u64 > FILE_BYTES_MAX {
                let message = format!("{} has grown to more than {FILE_BYTES_MAX} bytes", file.path);
                return Err(Error::new(ErrorKind::Resources, message).into());
            }
            if read == 0 {
                return Ok(bytes);
            }
        }
    }
    fn text(&self, file: &InputFile, bytes: &[u8]) -> Text {
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            return Text::from(text);
        }
        let (mended, replaced) = Block::from_utf8_lossy(bytes);
        self.env
            .console
            .warn(&format!("file {}: {replaced} byte sequences are not UTF-8; each was replaced by U+FFFD", file.path));
        Text::from(mended.as_str())
    }
}
