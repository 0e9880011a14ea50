//! [`Source`]: a file that is read from front to back, whose errors name the file and the place.

use super::vint;
use headwater_core::{Error, ErrorKind, Result};
use std::io::{self, BufRead, BufReader, Read};

const BUFFER_BYTES: usize = 64 << 10;

pub(super) struct Source<R> {
    input: BufReader<R>,
    path: String,
    /// Of the next byte in the file.
    position: u64,
}

impl<R: Read> Source<R> {
    /// `input` begins at byte `position` of the file that errors call `path`.
    pub(super) fn new(input: R, path: &str, position: u64) -> Source<R> {
        Source { input: BufReader::with_capacity(BUFFER_BYTES, input), path: path.to_owned(), position }
    }
    pub(super) fn path(&self) -> &str {
        &self.path
    }
    pub(super) fn position(&self) -> u64 {
        self.position
    }
    /// What is in the buffer; nothing at the end of the file alone.
    fn buffered(&mut self) -> Result<&[u8]> {
        // Twice, since the buffer cannot be given out from within a loop.
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(Error::outside(format!("cannot read {}", self.path), error));
            }
        }
        Ok(self.input.buffer())
    }
    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.position += bytes as u64;
    }
    /// Whether nothing follows.
    pub(super) fn is_at_end(&mut self) -> Result<bool> {
        Ok(self.buffered()?.is_empty())
    }
    /// Appends the next `length` bytes, which are `what`, to `out`. It grows by what is there, whatever `length` is.
    pub(super) fn take(&mut self, length: usize, what: &str, out: &mut Vec<u8>) -> Result<()> {
        let (start, mut missing) = (self.position, length);
        while missing > 0 {
            let buffer = self.buffered()?;
            let taken = buffer.len().min(missing);
            if taken == 0 {
                return Err(self.ends_early(start, length, what));
            }
            out.extend_from_slice(&buffer[..taken]);
            self.consume(taken);
            missing -= taken;
        }
        Ok(())
    }
    /// The next `N` bytes, which are `what`.
    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let (start, mut out, mut filled) = (self.position, [0; N], 0);
        while filled < N {
            let buffer = self.buffered()?;
            let taken = buffer.len().min(N - filled);
            if taken == 0 {
                return Err(self.ends_early(start, N, what));
            }
            out[filled..filled + taken].copy_from_slice(&buffer[..taken]);
            self.consume(taken);
            filled += taken;
        }
        Ok(out)
    }
    /// The next number of four bytes.
    pub(super) fn int(&mut self, what: &str) -> Result<i32> {
        self.array(what).map(i32::from_be_bytes)
    }
    /// The next variable-length number, which is a length or a count.
    pub(super) fn vint_length(&mut self, what: &str) -> Result<usize> {
        let start = self.position;
        let mut bytes = [0; vint::BYTES_MAX];
        bytes[..1].copy_from_slice(&self.array::<1>(what)?);
        let length = vint::length(bytes[0]);
        for byte in &mut bytes[1..length] {
            [*byte] = self.array(what)?;
        }
        let number = vint::decode(&bytes[..length]);
        let absurd = |_| self.damaged(start, &format!("{what} is {number}, which is none"));
        // Java's lengths have 31 bits.
        i32::try_from(number).ok().and_then(|number| usize::try_from(number).ok()).ok_or(()).map_err(absurd)
    }
    /// Moves on to byte `position`, or the end of the file.
    pub(super) fn skip_to(&mut self, position: u64) -> Result<()> {
        while self.position < position {
            let missing = usize::try_from(position - self.position).unwrap_or(usize::MAX);
            match self.buffered()?.len().min(missing) {
                0 => break,
                skipped => self.consume(skipped),
            }
        }
        Ok(())
    }
    /// Moves on behind the next `marker`; false where none follows.
    pub(super) fn skip_behind(&mut self, marker: &[u8]) -> Result<bool> {
        // The end of what was searched, in case that a marker begins there.
        let mut window = Vec::with_capacity(BUFFER_BYTES + marker.len());
        loop {
            let carried = window.len();
            let buffer = self.buffered()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            window.extend_from_slice(buffer);
            if let Some(found) = memchr::memmem::find(&window, marker) {
                self.consume(found + marker.len() - carried);
                return Ok(true);
            }
            self.consume(window.len() - carried);
            window.drain(..window.len().saturating_sub(marker.len() - 1));
        }
    }

    /// The error of a file that ends within `what`, which begins at `start`.
    fn ends_early(&self, start: u64, length: usize, what: &str) -> Error {
        let have = self.position - start;
        self.damaged(
            start,
            &format!("{what} should take {length} bytes and {have} are left: the file is cut off or damaged"),
        )
    }
    /// The error of bytes at `position` that are wrong.
    pub(super) fn damaged(&self, position: u64, what: &str) -> Error {
        Error::new(ErrorKind::Data, format!("{}, byte {position}: {what}", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives few bytes at a time, as a socket does, and is interrupted now and then.
    struct Slow(Vec<u8>, usize);
    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let taken = out.len().min(self.0.len()).min(7);
            out[..taken].copy_from_slice(&self.0[..taken]);
            self.0.drain(..taken);
            Ok(taken)
        }
    }

    #[test]
    fn a_length_that_the_file_only_claims_takes_no_memory() {
        let (mut source, mut out) = (Source::new(&b"abc"[..], "f", 10), Vec::new());
        let error = source.take(i32::MAX as usize, "a record", &mut out).unwrap_err().to_string();
        assert_eq!(
            error,
            "f, byte 10: a record should take 2147483647 bytes and 3 are left: the file is cut off or damaged"
        );
        assert!(out.capacity() < 100);
    }

    #[test]
    fn lengths_are_lengths() {
        let length = |bytes: &[u8]| Source::new(bytes, "f", 0).vint_length("the length");
        assert_eq!(length(&[0x8e, 1, 0x2c]).unwrap(), 300);
        assert_eq!(length(&[0xff]).unwrap_err().to_string(), "f, byte 0: the length is -1, which is none");
        assert!(length(&[0x8b, 1, 0, 0, 0, 0]).is_err());
        assert!(length(&[0x88, 1]).is_err());
    }

    #[test]
    fn a_disk_that_fails_is_the_outside_world() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no disk"))
            }
        }
        let error = Source::new(Broken, "f", 0).is_at_end().unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Outside, "cannot read f: no disk"));
    }

    proptest! {
        #[test]
        fn a_marker_is_found_wherever_it_lies(bytes in proptest::collection::vec(0u8..3, 0..200), start in 0usize..100) {
            let (start, marker) = (start.min(bytes.len()), [1, 1, 2, 0]);
            let mut source = Source::new(Slow(bytes.clone(), 0), "f", 0);
            source.skip_to(start as u64).unwrap();
            let expected = bytes[start..].windows(4).position(|window| window == marker);
            prop_assert_eq!(source.skip_behind(&marker).unwrap(), expected.is_some());
            let behind = expected.map_or(bytes.len(), |found| start + found + 4);
            prop_assert_eq!(source.position(), behind as u64);
            let mut rest = Vec::new();
            source.take(bytes.len() - behind, "the rest", &mut rest).unwrap();
            prop_assert_eq!(&rest, &bytes[behind..]);
        }
    }
}
