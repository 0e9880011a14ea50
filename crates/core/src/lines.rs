//! [`LineBlocks`]: bytes as they arrive become blocks of whole lines. Both ways in use it: receivers of text and
//! `text_file`. It bounds the length of a line and mends what is not UTF-8, with a warning that names the source.

use crate::env::Console;
use crate::text::{Block, BlockBuilder, BlockPool};
use std::sync::Arc;

/// Cuts a stream of bytes into blocks of whole lines.
pub(crate) struct LineBlocks {
    /// What warnings call the stream: `socket localhost:9999`.
    source: String,
    pool: BlockPool,
    console: Arc<dyn Console>,
    line_bytes_max: usize,
    /// Where the limit comes from, for warnings.
    limit: &'static str,
    /// Whole lines, and behind them the start of one.
    open: BlockBuilder,
    /// Where the bytes of `open` stop being whole lines.
    whole: usize,
    /// Bytes thrown away so far of a line that is longer than the limit; its end has not come yet.
    skipping: Option<usize>,
}

/// The longest line that is let through, at most what a block can hold, and where that is set, for warnings.
pub(crate) struct LineLimit {
    pub(crate) bytes: usize,
    pub(crate) name: &'static str,
}

impl LineBlocks {
    /// For the stream that warnings call `source`. A line above the limit is thrown away with a warning.
    pub(crate) fn new(source: String, pool: BlockPool, console: Arc<dyn Console>, limit: LineLimit) -> LineBlocks {
        let open = pool.take();
        let line_bytes_max = limit.bytes.min(open.capacity() - 1);
        LineBlocks { source, pool, console, line_bytes_max, limit: limit.name, open, whole: 0, skipping: None }
    }

    /// Takes in `bytes`; blocks that fill up on the way go to `full`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], full: &mut dyn FnMut(Block)) {
        while !bytes.is_empty() {
            let taken = self.open.extend_from_slice(bytes);
            bytes = &bytes[taken..];
            self.taken_in(full);
        }
    }

    /// The whole lines at hand as a block, if there are any; the start of a line stays for later.
    pub(crate) fn take_whole(&mut self) -> Option<Block> {
        if self.whole == 0 {
            return None;
        }
        // A block that is mostly empty is copied into one of its own size: a record that lives long would pin it.
        if self.open.len() < self.open.capacity() / 8 {
            let whole = &self.open.as_bytes()[..self.whole];
            let block = Block::from_utf8(whole).unwrap_or_else(|_| self.mended(Block::from_utf8_lossy(whole)));
            let rest = self.open.as_bytes()[self.whole..].to_vec();
            self.open.truncate(0);
            self.open.extend_from_slice(&rest);
            self.whole = 0;
            return Some(block);
        }
        Some(self.turn_over())
    }

    /// The rest at the end of the stream: a last line need not end with a newline.
    pub(crate) fn finish(&mut self) -> Option<Block> {
        if let Some(bytes) = self.skipping.take() {
            self.warn_too_long(bytes);
        }
        self.whole = self.open.len();
        self.take_whole()
    }

    /// Whether there are whole lines that are no block yet.
    pub(crate) fn has_whole(&self) -> bool {
        self.whole > 0
    }

    /// Bytes of whole lines that are no block yet.
    pub(crate) fn whole_bytes(&self) -> usize {
        self.whole
    }

    /// Finds the last line end among the new bytes, and keeps the limits.
    fn taken_in(&mut self, full: &mut dyn FnMut(Block)) {
        if self.skipping.is_some() && !self.skip() {
            return;
        }
        if let Some(at) = memchr::memrchr(b'\n', &self.open.as_bytes()[self.whole..]) {
            self.drop_long_lines_before(self.whole + at + 1);
        }
        if self.open.len() - self.whole > self.line_bytes_max {
            self.skipping = Some(self.open.len() - self.whole);
            self.open.truncate(self.whole);
        }
        if self.open.len() == self.open.capacity() {
            full(self.turn_over());
        }
    }

    /// Drops what belongs to a line that is too long; whether its end has come.
    fn skip(&mut self) -> bool {
        let fresh = &self.open.as_bytes()[self.whole..];
        let skipped = self.skipping.unwrap_or(0);
        let Some(end) = memchr::memchr(b'\n', fresh) else {
            self.skipping = Some(skipped + fresh.len());
            self.open.truncate(self.whole);
            return false;
        };
        let rest = fresh[end + 1..].to_vec();
        self.open.truncate(self.whole);
        self.open.extend_from_slice(&rest);
        self.skipping = None;
        self.warn_too_long(skipped + end);
        true
    }

    /// The bytes up to `end` are whole lines now. A line that came in one piece may still be too long; only when the
    /// stretch could hide one is it searched.
    fn drop_long_lines_before(&mut self, end: usize) {
        let start = std::mem::replace(&mut self.whole, end);
        if end - start <= self.line_bytes_max {
            return;
        }
        let bytes = self.open.as_bytes();
        let mut lines = bytes[start..end].split_inclusive(|byte| *byte == b'\n');
        if lines.clone().all(|line| line.len() - 1 <= self.line_bytes_max) {
            return;
        }
        let (kept, dropped): (Vec<&[u8]>, Vec<&[u8]>) =
            lines.by_ref().partition(|line| line.len() - 1 <= self.line_bytes_max);
        let kept = kept.concat();
        let dropped: Vec<usize> = dropped.iter().map(|line| line.len() - 1).collect();
        let rest = bytes[end..].to_vec();
        self.open.truncate(start);
        self.open.extend_from_slice(&kept);
        self.whole = self.open.len();
        self.open.extend_from_slice(&rest);
        dropped.into_iter().for_each(|bytes| self.warn_too_long(bytes));
    }

    /// Freezes the whole lines and carries the start of a line over into a new block.
    fn turn_over(&mut self) -> Block {
        let mut next = self.pool.take();
        next.extend_from_slice(&self.open.as_bytes()[self.whole..]);
        let mut done = std::mem::replace(&mut self.open, next);
        done.truncate(std::mem::take(&mut self.whole));
        done.freeze().unwrap_or_else(|(_, done)| self.mended(done.freeze_lossy()))
    }

    fn mended(&self, (block, replaced): (Block, usize)) -> Block {
        self.console
            .warn(&format!("{}: {replaced} byte sequences are not UTF-8; each was replaced by U+FFFD", self.source));
        block
    }
    fn warn_too_long(&self, bytes: usize) {
        self.console.warn(&format!(
            "{}: a line of {bytes} bytes was thrown away: the limit is {} bytes ({})",
            self.source, self.line_bytes_max, self.limit
        ));
    }
}

#[cfg(test)]
mod tests;
