//! However the bytes are cut into pieces and blocks, the lines are the same.

use super::*;
use crate::text::Text;
use proptest::prelude::*;
use std::sync::Mutex;

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);
impl Console for Warnings {
    fn print(&self, _text: &str) {}
    fn warn(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

fn texts(block: &Block) -> Vec<String> {
    let (mut lines, mut position) = (Vec::<Text>::new(), 0);
    while position < block.len() {
        block.next_lines(&mut position, block.len(), 100, &mut lines);
    }
    lines.iter().map(|line| line.to_string()).collect()
}

/// The lines of `pieces` with blocks of 16 bytes, some of them taken early, and the number of warnings.
fn cut(pieces: &[(Vec<u8>, bool)], line_bytes_max: usize) -> (Vec<String>, usize) {
    let console = Arc::new(Warnings::default());
    let mut lines = LineBlocks::new(
        "test".into(),
        BlockPool::new(16, 2),
        console.clone(),
        LineLimit { bytes: line_bytes_max, name: "a test" },
    );
    let mut found = Vec::new();
    for (piece, take) in pieces {
        lines.push(piece, &mut |block| found.extend(texts(&block)));
        if *take {
            let whole = lines.take_whole();
            found.extend(whole.iter().flat_map(texts));
            assert!(!lines.has_whole());
        }
    }
    let last = lines.finish();
    found.extend(last.iter().flat_map(texts));
    let warnings = console.0.lock().unwrap().len();
    (found, warnings)
}

/// What must come out: the lines of the whole, without those that are too long.
fn expected(pieces: &[(Vec<u8>, bool)], line_bytes_max: usize) -> (Vec<String>, usize) {
    let all: Vec<u8> = pieces.iter().flat_map(|(piece, _)| piece.clone()).collect();
    let ended = all.strip_suffix(b"\n").unwrap_or(&all);
    if all.is_empty() {
        return (Vec::new(), 0);
    }
    let (kept, long): (Vec<&[u8]>, Vec<&[u8]>) =
        ended.split(|byte| *byte == b'\n').partition(|line| line.len() <= line_bytes_max);
    (kept.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect(), long.len())
}

proptest! {
    #[test]
    fn pieces_and_blocks_do_not_show(
        pieces in prop::collection::vec((prop::collection::vec(prop::sample::select(b"ab\n\n".to_vec()), 0..40), any::<bool>()), 0..12),
        line_bytes_max in 1usize..20,
    ) {
        // A line fits a block of 16 bytes with its end.
        prop_assert_eq!(cut(&pieces, line_bytes_max), expected(&pieces, line_bytes_max.min(15)));
    }
}

#[test]
fn a_line_that_is_not_utf8_is_mended_and_its_neighbours_stay() {
    let (lines, warnings) = cut(&[(b"a\nb\xff\nc\n".to_vec(), true)], 15);
    assert_eq!((lines, warnings), (vec!["a".into(), "b\u{fffd}".into(), "c".into()], 1));
}
