//! Compressing and decompressing whole buffers, again and again, without allocating anew: the zlib format, and the
//! same data in gzip's frame.

use super::Codec;
use super::gzip;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

/// What a step may append at least.
const STEP: usize = 4 << 10;

/// Compresses buffers, each to a stream of its own.
pub(super) struct Compressor {
    codec: Codec,
    state: Compress,
}

impl Compressor {
    pub(super) fn new(codec: Codec) -> Compressor {
        Compressor { codec, state: Compress::new(flate2::Compression::default(), codec == Codec::Default) }
    }
    /// Appends `input`, compressed, to `out`.
    pub(super) fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.codec == Codec::Gzip {
            out.extend_from_slice(&gzip::HEADER);
        }
        self.state.reset();
        loop {
            out.reserve(STEP);
            let rest = &input[self.state.total_in() as usize..];
            let status = self.state.compress_vec(rest, out, FlushCompress::Finish);
            if status.expect("its own state is in order") == Status::StreamEnd {
                break;
            }
        }
        if self.codec == Codec::Gzip {
            out.extend_from_slice(&gzip::trailer(input));
        }
    }
}

/// Why a buffer does not decompress.
#[derive(PartialEq, Debug)]
pub(super) enum Failure {
    /// The data is damaged, in this way.
    Damaged(&'static str),
    /// It comes to more bytes than are allowed.
    TooLong,
}

/// Decompresses buffers.
pub(super) struct Decompressor {
    codec: Codec,
    state: Decompress,
}

impl Decompressor {
    pub(super) fn new(codec: Codec) -> Decompressor {
        Decompressor { codec, state: Decompress::new(codec == Codec::Default) }
    }
    /// Replaces `out` by what `input` decompresses to, at most `bytes_max`. Several streams one behind the other are
    /// one, as in Hadoop; the last must end where `input` does. `out` grows with what is there, not with a promise.
    pub(super) fn decompress(&mut self, mut input: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
        out.clear();
        loop {
            let start = out.len();
            match self.codec {
                Codec::Default => self.stream(&mut input, bytes_max, out)?,
                Codec::Gzip => {
                    gzip::skip_header(&mut input).map_err(Failure::Damaged)?;
                    self.stream(&mut input, bytes_max, out)?;
                    gzip::check_trailer(&mut input, &out[start..]).map_err(Failure::Damaged)?;
                }
            }
            if input.is_empty() {
                return Ok(());
            }
        }
    }
    fn stream(&mut self, input: &mut &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.state.reset(self.codec == Codec::Default);
        loop {
            // One byte above the limit is room enough to find that it is passed.
            out.reserve(STEP.min(bytes_max.saturating_add(1).saturating_sub(out.len())));
            let (before_in, before_out) = (self.state.total_in(), out.len());
            let status = self.state.decompress_vec(input, out, FlushDecompress::None);
            *input = &input[(self.state.total_in() - before_in) as usize..];
            if out.len() > bytes_max {
                return Err(Failure::TooLong);
            }
            match status {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) if out.len() == before_out && self.state.total_in() == before_in => {
                    return Err(Failure::Damaged("the compressed data ends early"));
                }
                Ok(_) => {}
                Err(_) => return Err(Failure::Damaged("the compressed data is damaged")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CODECS: [Codec; 2] = [Codec::Default, Codec::Gzip];

    fn compressed(codec: Codec, input: &[u8]) -> Vec<u8> {
        let (mut compressor, mut out) = (Compressor::new(codec), Vec::new());
        compressor.compress(b"an earlier buffer", &mut out);
        out.clear();
        compressor.compress(input, &mut out);
        out
    }
    fn decompressed(codec: Codec, input: &[u8], bytes_max: usize) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        Decompressor::new(codec).decompress(input, bytes_max, &mut out).map(|()| out)
    }

    #[test]
    fn nothing_is_a_stream_too() {
        assert_eq!(compressed(Codec::Default, b""), [0x78, 0x9c, 3, 0, 0, 0, 0, 1]);
        for codec in CODECS {
            assert_eq!(decompressed(codec, &compressed(codec, b""), 0).unwrap(), b"");
            assert!(decompressed(codec, b"", 100).is_err(), "no stream at all");
        }
    }

    #[test]
    fn a_bomb_takes_no_more_than_the_limit() {
        for codec in CODECS {
            let bomb = compressed(codec, &vec![7; 4 << 20]);
            assert!(bomb.len() < 8_000);
            let mut out = Vec::new();
            let failure = Decompressor::new(codec).decompress(&bomb, 1 << 20, &mut out).unwrap_err();
            assert_eq!(failure, Failure::TooLong);
            assert!(out.capacity() <= 3 << 20, "{}", out.capacity());
            assert_eq!(decompressed(codec, &bomb, 4 << 20).unwrap().len(), 4 << 20);
        }
    }

    #[test]
    fn every_cut_and_what_hangs_behind_is_an_error() {
        for codec in CODECS {
            let whole = compressed(codec, b"some words, some words and some more");
            for cut in 0..whole.len() {
                assert!(decompressed(codec, &whole[..cut], 1000).is_err(), "{codec:?} cut off at {cut}");
            }
            assert!(decompressed(codec, &[&whole[..], b"x"].concat(), 1000).is_err());
            let twice = decompressed(codec, &[&whole[..], &whole[..]].concat(), 1000).unwrap();
            assert_eq!(twice.len(), 72);
        }
    }

    proptest! {
        #[test]
        fn buffers_come_back(input in proptest::collection::vec(0u8..8, 0..5_000)) {
            for codec in CODECS {
                let back = decompressed(codec, &compressed(codec, &input), input.len());
                prop_assert_eq!(back.as_ref(), Ok(&input));
            }
        }
    }
}
