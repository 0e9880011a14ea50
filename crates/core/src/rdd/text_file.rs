//! `text_file`: the lines of files, in splits that several tasks read side by side.

use super::input_files::{InputFile, input_files};
use super::text_blocks::push_lines;
use super::{FoundShuffles, Node, Outcome, PARTITIONS_MAX, Rdd, RddContext, Sink, Task};
use crate::env::{Env, FileSystem};
use crate::lines::{LineBlocks, LineLimit};
use crate::text::{Block, BlockPool, Text};
use crate::{Error, Result};
use memchr::memchr;
use std::io::{ErrorKind, Read};
use std::ops::Range;

/// Bytes of a split: the work of one task.
const SPLIT_BYTES: u64 = 32 << 20;
/// The longest line of a file; a longer one is thrown away with a warning.
const LINE_LIMIT: LineLimit = LineLimit { bytes: 4 << 20, name: "fixed for files" };
/// Bytes asked of the file system at a time.
const READ_BYTES: usize = 1 << 20;

impl RddContext {
    /// The lines of the files that `path` means, in splits of 32 MiB that begin and end at line ends, but at least
    /// `min_partitions` where the files are long enough; each file has a split of its own. Bytes that are not UTF-8 are
    /// replaced by U+FFFD, and lines above 4 MiB thrown away, both with a warning. The files must not change while they
    /// are read.
    ///
    /// `path` is a file, a folder, whose files are read, or a pattern: `*` is any run of characters, `?` one, `[a-z]` one
    /// of these, `[^a-z]` one of the others, `{a,b}` either, and `\\` takes the next character as it is. Commas part
    /// several. Names that begin with `.` or `_` are left out of folders and patterns. A path that is not there, and a
    /// pattern that matches nothing, are errors at once. Source: Spark's `textFile`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// std::fs::write(format!("{folder}/poem"), "to be\nor not\nto be\n").unwrap();
    /// std::fs::write(format!("{folder}/a.log"), "begun\n").unwrap();
    /// std::fs::write(format!("{folder}/b.log"), "done\n").unwrap();
    /// assert_eq!(context.text_file(&format!("{folder}/poem"), 1)?.collect()?, ["to be", "or not", "to be"]);
    /// assert_eq!(context.text_file(&format!("{folder}/*.log"), 1)?.collect()?, ["begun", "done"]);
    /// assert_eq!(context.text_file(&folder, 1)?.count()?, 5);
    /// assert!(context.text_file("no such file", 1).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn text_file(&self, path: &str, min_partitions: usize) -> Result<Rdd<Text>> {
        let files = input_files(&*self.env().files, path)?;
        let all: u64 = files.iter().map(|file| file.bytes).sum();
        let mut splits = Vec::new();
        for (number, InputFile { bytes, .. }) in files.iter().enumerate() {
            let share = (min_partitions as u128 * u128::from(*bytes)).div_ceil(u128::from(all.max(1)));
            let wanted = u128::from(bytes.div_ceil(SPLIT_BYTES)).max(share.min(u128::from(*bytes))).max(1);
            if splits.len() as u128 + wanted > PARTITIONS_MAX as u128 {
                return Err(Error::program(format!(
                    "text_file({path:?}, {min_partitions}): a dataset has at most {PARTITIONS_MAX} partitions"
                )));
            }
            let cut = |n: u128| (n * u128::from(*bytes) / wanted) as u64;
            splits.extend((0..wanted).map(|n| (number, cut(n)..cut(n + 1))));
        }
        let (env, pool) = (self.env().clone(), self.blocks().clone());
        Ok(Rdd::from_node(self, TextFiles { files, splits, env, pool }))
    }
}

struct TextFiles {
    files: Vec<InputFile>,
    /// The number of a file, and its bytes.
    splits: Vec<(usize, Range<u64>)>,
    env: Env,
    pool: BlockPool,
}

impl Node<Text> for TextFiles {
    fn num_partitions(&self) -> usize {
        self.splits.len()
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, Text>) -> Outcome {
        let (file, bytes) = &self.splits[task.partition()];
        let path = &self.files[*file].path;
        let mut split = Split::open(&*self.env.files, path, bytes.start, bytes.end)?;
        let source = format!("file {path}");
        let mut lines = LineBlocks::new(source, self.pool.clone(), self.env.console.clone(), LINE_LIMIT);
        while let Some(bytes) = split.next()? {
            task.check()?;
            let mut full: Vec<Block> = Vec::new();
            lines.push(bytes, &mut |block| full.push(block));
            full.iter().try_for_each(|block| push_lines(block, task, sink))?;
        }
        lines.finish().map_or(Ok(()), |block| push_lines(&block, task, sink))
    }
}

/// The bytes of the lines that start in `start..end`: it begins one byte early and skips to behind the first line end
/// (that line started in the split before), and reads on over `end` to the end of its last line.
struct Split<'a> {
    path: &'a str,
    file: Box<dyn Read + Send>,
    position: u64,
    end: u64,
    state: State,
    bytes: Vec<u8>,
}
#[derive(PartialEq)]
enum State {
    Skipping,
    Reading,
    Done,
}

impl<'a> Split<'a> {
    fn open(files: &dyn FileSystem, path: &'a str, start: u64, end: u64) -> Result<Split<'a>> {
        let position = start.saturating_sub(1);
        let state = if start == end {
            State::Done
        } else if start == 0 {
            State::Reading
        } else {
            State::Skipping
        };
        let bytes = vec![0; READ_BYTES.min((end - start) as usize + 4096)];
        Ok(Split { path, file: files.open(path, position)?, position, end, state, bytes })
    }

    /// The next bytes that belong to the split; `None` behind its last line.
    fn next(&mut self) -> Result<Option<&[u8]>> {
        while self.state != State::Done {
            let read = self.read()?;
            let (mut from, mut to) = (0, read);
            let base = self.position;
            self.position += read as u64;
            if self.state == State::Skipping {
                let Some(line_end) = memchr(b'\n', &self.bytes[..read]) else { continue };
                from = line_end + 1;
                self.state = if base + from as u64 >= self.end { State::Done } else { State::Reading };
            }
            if self.state == State::Reading && self.position >= self.end {
                let last = from.max((self.end - 1).saturating_sub(base) as usize);
                if let Some(line_end) = memchr(b'\n', &self.bytes[last..read]) {
                    to = last + line_end + 1;
                    self.state = State::Done;
                    return Ok(Some(&self.bytes[from..to]));
                }
            }
            if self.state == State::Reading && from < to {
                return Ok(Some(&self.bytes[from..to]));
            }
        }
        Ok(None)
    }

    /// How many bytes were read; none means the end of the file.
    fn read(&mut self) -> Result<usize> {
        loop {
            match self.file.read(&mut self.bytes) {
                Ok(read) => {
                    if read == 0 {
                        self.state = State::Done;
                    }
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::outside(format!("cannot read {}", self.path), error)),
            }
        }
    }
}
