//! Every method of `Text` against its counterpart of `str`, and the life of blocks.

use std::hash::{BuildHasher, RandomState};
use std::thread;

use proptest::prelude::*;

use super::*;

/// Strings of all lengths around those where the representation or a mask changes, with separators in them.
fn strings() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        6 => prop::char::range('a', 'd'),
        2 => Just(' '),
        1 => prop::sample::select(vec!['\n', '\r', '\t', ',', 'A', 'É', 'é', 'è', '→', '\u{2003}', '😀', 'ß', 'İ', '\x0b']),
    ];
    let len = prop_oneof![0usize..20, 14usize..18, 60usize..68, 100usize..200, 126usize..131];
    len.prop_flat_map(move |len| prop::collection::vec(character.clone(), len)).prop_map(String::from_iter)
}

/// The string as a text of its own, and as a slice in the middle of a block.
fn texts(string: &str) -> [Text; 2] {
    let around = Text::from(format!("→ {string}, and more behind it"));
    [Text::from(string), around.slice(4..4 + string.len()).unwrap()]
}

fn owned<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<String> {
    parts.map(str::to_owned).collect()
}

/// Compares every use of a separator with `str`'s for the same pattern.
macro_rules! check_separator {
    ($string:expr, $separator:expr, $pattern:expr) => {
        for text in texts($string) {
            let string: &str = $string;
            let pieces = || text.clone();
            prop_assert_eq!(pieces().split($separator).collect::<Vec<_>>(), owned(string.split($pattern)));
            prop_assert_eq!(pieces().rsplit($separator).collect::<Vec<_>>(), owned(string.rsplit($pattern)));
            let terminated = owned(string.split_terminator($pattern));
            prop_assert_eq!(pieces().split_terminator($separator).collect::<Vec<_>>(), terminated);
            for limit in 0..5 {
                let limited = owned(string.splitn(limit, $pattern));
                prop_assert_eq!(pieces().splitn(limit, $separator).collect::<Vec<_>>(), limited);
            }
            let pair = |found: Option<(Text, Text)>| found.map(|(a, b)| (a.to_string(), b.to_string()));
            let expected = |found: Option<(&str, &str)>| found.map(|(a, b)| (a.to_owned(), b.to_owned()));
            prop_assert_eq!(pair(text.split_once($separator)), expected(string.split_once($pattern)));
            prop_assert_eq!(pair(text.rsplit_once($separator)), expected(string.rsplit_once($pattern)));
            prop_assert_eq!(text.strip_prefix($separator), string.strip_prefix($pattern).map(Text::from));
            prop_assert_eq!(text.strip_suffix($separator), string.strip_suffix($pattern).map(Text::from));
            prop_assert_eq!(text.replace($separator, "<é>"), string.replace($pattern, "<é>"));
            prop_assert_eq!(text.contains($separator), string.contains($pattern));
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_part_is_found_and_what_is_no_part_is_not(string in strings(), from in 0usize..200, len in 0usize..40, other in strings()) {
        let from = string.floor_char_boundary(from.min(string.len()));
        let part = &string[from..string.floor_char_boundary((from + len).min(string.len()))];
        for text in texts(&string) {
            prop_assert!(text.contains(part));
            prop_assert!(text.contains(&[part][0]));
            prop_assert_eq!(text.contains(other.as_str()), string.contains(other.as_str()));
            let changed = format!("{part}#");
            prop_assert!(!text.contains(&changed));
        }
    }

    #[test]
    fn separators_mean_what_they_mean_to_str(string in strings()) {
        for character in [' ', 'a', 'é', '→', '😀'] {
            check_separator!(&string, character, character);
        }
        for needle in ["", " ", "a", "ab", "aa", "é", "→ ", " a b", "nowhere to be found at all"] {
            check_separator!(&string, needle, needle);
            check_separator!(&string, String::from(needle), needle);
            check_separator!(&string, Text::from(needle), needle);
        }
        check_separator!(&string, [' ', 'é', ','], [' ', 'é', ',']);
        check_separator!(&string, &['a', '→'][..], &['a', '→'][..]);
        check_separator!(&string, |c: char| c.is_alphabetic(), |c: char| c.is_alphabetic());
    }

    #[test]
    fn a_closure_sees_each_character_once(string in strings(), period in 1usize..5) {
        let every = |period| {
            let mut seen = 0;
            move |_: char| { seen += 1; seen % period == 0 }
        };
        let expected = owned(string.split(every(period)));
        prop_assert_eq!(Text::from(string.as_str()).split(every(period)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn iterators_equal_those_of_str(string in strings()) {
        for text in texts(&string) {
            let pieces = || text.clone();
            prop_assert_eq!(pieces().split_whitespace().collect::<Vec<_>>(), owned(string.split_whitespace()));
            let ascii = owned(string.split_ascii_whitespace());
            prop_assert_eq!(pieces().split_ascii_whitespace().collect::<Vec<_>>(), ascii);
            prop_assert_eq!(pieces().lines().collect::<Vec<_>>(), owned(string.lines()));
            prop_assert!(pieces().chars().eq(string.chars()));
            prop_assert!(pieces().chars().rev().eq(string.chars().rev()));
            prop_assert!(pieces().char_indices().eq(string.char_indices()));
            prop_assert!(pieces().char_indices().rev().eq(string.char_indices().rev()));
            prop_assert!(pieces().bytes().eq(string.bytes()));
            prop_assert!(pieces().bytes().rev().eq(string.bytes().rev()));
        }
    }

    #[test]
    fn edits_equal_those_of_str(string in strings(), from in 0usize..140, len in 0usize..80) {
        for text in texts(&string) {
            prop_assert_eq!(text.trim(), string.trim());
            prop_assert_eq!(text.trim_start(), string.trim_start());
            prop_assert_eq!(text.trim_end(), string.trim_end());
            prop_assert_eq!(text.trim_matches(' '), string.trim_matches(' '));
            prop_assert_eq!(text.trim_matches(['a', 'b']), string.trim_matches(['a', 'b']));
            prop_assert_eq!(text.trim_matches(char::is_alphabetic), string.trim_matches(char::is_alphabetic));
            prop_assert_eq!(text.to_lowercase(), string.to_lowercase());
            prop_assert_eq!(text.to_uppercase(), string.to_uppercase());
            prop_assert_eq!(text.to_ascii_lowercase(), string.to_ascii_lowercase());
            prop_assert_eq!(text.to_ascii_uppercase(), string.to_ascii_uppercase());
            prop_assert_eq!(text.slice(from..from + len), string.get(from..from + len).map(Text::from));
            prop_assert_eq!(text.slice(from..), string.get(from..).map(Text::from));
            prop_assert_eq!(text.slice(..=from), string.get(..=from).map(Text::from));
            prop_assert_eq!(text.detached(), text.as_str());
            prop_assert!(text.detached().is_detached());
        }
    }

    #[test]
    fn comparisons_equal_those_of_str(one in strings(), two in strings()) {
        let hash = RandomState::default();
        for (a, b) in texts(&one).into_iter().zip(texts(&two)) {
            prop_assert_eq!(a.cmp(&b), one.cmp(&two));
            prop_assert_eq!(a == b, one == two);
            prop_assert_eq!(hash.hash_one(&a) == hash.hash_one(&b), one == two);
            prop_assert_eq!(format!("{a:>40}|{a:.3}|{a:?}"), format!("{one:>40}|{one:.3}|{one:?}"));
        }
        let [alone, slice] = texts(&one);
        prop_assert_eq!(hash.hash_one(&alone), hash.hash_one(&slice));
        prop_assert_eq!(&alone, &slice);
    }

    #[test]
    fn lines_of_a_block_are_those_of_str(string in strings(), limit in 1usize..6) {
        let block = Block::from_utf8(string.as_bytes()).unwrap();
        let (mut lines, mut position) = (Vec::new(), 0);
        while position < block.len() {
            let before = lines.len();
            block.next_lines(&mut position, usize::MAX, limit, &mut lines);
            prop_assert!(lines.len() - before <= limit && lines.len() > before);
        }
        prop_assert_eq!(position, block.len());
        let long = lines.iter().filter(|line| !line.is_inline()).count();
        prop_assert_eq!(block.count(), 1 + long);
        prop_assert_eq!(&lines, &owned(string.lines()));
        drop(lines);
        prop_assert_eq!(block.count(), 1);
    }

    #[test]
    fn malformed_bytes_are_replaced_as_by_string(bytes in prop::collection::vec(prop_oneof![0u8..128, any::<u8>()], 0..300)) {
        let expected = String::from_utf8_lossy(&bytes);
        let (block, replaced) = Block::from_utf8_lossy(&bytes);
        prop_assert_eq!(block.as_str(), &expected);
        prop_assert_eq!(replaced, expected.matches(char::REPLACEMENT_CHARACTER).count());
        let pool = BlockPool::new(300, 1);
        let mut builder = pool.take();
        prop_assert_eq!(builder.extend_from_slice(&bytes), bytes.len());
        let (from_builder, again) = match builder.freeze() {
            Ok(block) => (block, 0),
            Err((error, builder)) => {
                prop_assert_eq!(Err(error), std::str::from_utf8(&bytes));
                prop_assert_eq!(builder.as_bytes(), &bytes);
                builder.freeze_lossy()
            }
        };
        prop_assert_eq!(from_builder.as_str(), &expected);
        prop_assert_eq!(again, replaced);
    }
}

#[test]
fn a_text_has_16_bytes() {
    assert_eq!(size_of::<Text>(), 16);
    fn check<T: Send + Sync + 'static>() {}
    check::<(Text, Block, BlockPool, BlockBuilder, SplitChar)>();
}

/// The program of the README, in closures as an operator takes them.
#[test]
fn iterators_leave_a_closure() {
    fn flat_map<I: IntoIterator<Item: 'static>>(line: Text, f: impl Fn(Text) -> I) -> usize {
        f(line).into_iter().count()
    }
    let line = Text::from("to be or not to be, that is the question");
    assert_eq!(flat_map(line.clone(), |line| line.split(' ')), 10);
    assert_eq!(flat_map(line.clone(), |line| line.split(", ")), 2);
    assert_eq!(flat_map(line.clone(), |line| line.split([' ', ','])), 11);
    assert_eq!(flat_map(line.clone(), |line| line.split(|c: char| !c.is_alphabetic())), 11);
    assert_eq!(flat_map(line.clone(), |line| line.split_whitespace().map(|word| (word.to_lowercase(), 1))), 10);
    assert_eq!(flat_map(line, |line| line.chars().filter(|c| c.is_alphabetic())), 30);
}

#[test]
#[should_panic(expected = "char boundary")]
fn lines_do_not_begin_inside_a_character() {
    Block::from_utf8("é".as_bytes()).unwrap().next_lines(&mut 1, 2, 1, &mut Vec::new());
}

#[test]
fn places_behind_the_block_are_its_end() {
    let block = Block::from_utf8(b"a\nb").unwrap();
    let (mut lines, mut position) = (Vec::new(), 100);
    block.next_lines(&mut position, 200, 10, &mut lines);
    assert_eq!((lines.len(), position), (0, 3));
}

#[test]
fn a_block_can_be_read_in_parts() {
    let block = Block::from_utf8(b"first line of text\nsecond line of text\nthird").unwrap();
    let (mut lines, mut position) = (Vec::new(), 19);
    block.next_lines(&mut position, 39, 10, &mut lines);
    assert_eq!(lines, ["second line of text"]);
    assert_eq!(position, 39);
    block.next_lines(&mut position, block.len(), 10, &mut lines);
    assert_eq!(lines, ["second line of text", "third"]);
}

#[test]
fn memory_returns_to_its_pool_and_is_used_again() {
    let pool = BlockPool::new(100, 1);
    let mut builder = pool.take();
    assert_eq!(builder.extend_from_slice(&[b'x'; 150]), 100);
    let address = builder.as_bytes().as_ptr();
    let block = builder.freeze().unwrap();
    let word = Text::split(block_text(&block), ' ').next().unwrap();
    drop(block);
    assert_eq!(pool.idle(), 0, "the word keeps the block");
    let detached = word.detached();
    drop(word);
    assert_eq!(pool.idle(), 1);
    let mut again = pool.take();
    assert_eq!(again.spare_mut().as_ptr(), address);
    assert!(again.is_empty());
    // Enough is idle: the second one is freed.
    drop((pool.take(), again));
    assert_eq!(pool.idle(), 1);
    assert_eq!(detached.len(), 100);
}

/// All of a block without line ends, as a text.
fn block_text(block: &Block) -> Text {
    let mut lines = Vec::new();
    block.next_lines(&mut 0, block.len(), 1, &mut lines);
    lines.pop().unwrap()
}

#[test]
fn blocks_outlive_their_pool() {
    let pool = BlockPool::new(64, 4);
    let mut builder = pool.take();
    builder.extend_from_slice(b"the pool is gone before this line is");
    drop(pool.take());
    drop(pool);
    let line = block_text(&builder.freeze().unwrap());
    assert_eq!(line, "the pool is gone before this line is");
}

#[test]
fn sizes_of_pools_are_bounded() {
    assert_eq!(BlockPool::new(0, 0).take().capacity(), 1);
    assert_eq!(BlockPool::new(usize::MAX, 0).block_bytes(), (1 << 31) - 1);
}

#[test]
fn lossy_text_may_outgrow_its_block() {
    let pool = BlockPool::new(40, 1);
    let mut builder = pool.take();
    builder.extend_from_slice(&[0xff; 40]);
    let (block, replaced) = builder.freeze_lossy();
    assert_eq!((block.len(), replaced), (120, 40));
    assert_eq!(pool.idle(), 1);
}

#[test]
fn tails_move_to_the_next_block() {
    let pool = BlockPool::new(8, 1);
    let (mut builder, mut next) = (pool.take(), pool.take());
    builder.extend_from_slice("a\né".as_bytes());
    builder.split_off_tail(2, &mut next);
    assert_eq!((builder.as_bytes(), next.as_bytes()), (&b"a\n"[..], "é".as_bytes()));
    next.truncate(1);
    next.truncate(5);
    assert_eq!((next.len(), next.freeze().unwrap_err().0.valid_up_to()), (1, 0));
}

#[test]
fn a_detached_text_is_not_copied_again() {
    let text = Text::from("an uncharacteristically long word");
    assert_eq!(text.detached().as_ptr(), text.as_ptr());
    let part = text.slice(3..22).unwrap();
    assert_eq!(part.as_ptr(), text[3..].as_ptr());
    assert_ne!(part.detached().as_ptr(), part.as_ptr());
}

/// Readers fill blocks, hand the lines to other threads and take the memory again, all from one small pool. What a
/// thread reads in its lines must be what was written for it.
#[test]
#[allow(clippy::disallowed_methods, reason = "the race is the test")]
fn pooled_memory_is_never_written_under_a_text() {
    let pool = BlockPool::new(256, 2);
    let (sender, receiver) = std::sync::mpsc::sync_channel::<(usize, Text)>(8);
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(receiver));
    thread::scope(|scope| {
        for reader in 0..2usize {
            let (pool, sender) = (pool.clone(), sender.clone());
            scope.spawn(move || {
                for round in 0..500 {
                    let digit = reader * 5 + round % 5;
                    let mut builder = pool.take();
                    let spare = builder.spare_mut();
                    spare.fill(b'0' + digit as u8);
                    spare[127] = b'\n';
                    let received = spare.len();
                    builder.advance(received);
                    let block = builder.freeze().unwrap();
                    let mut lines = Vec::new();
                    block.next_lines(&mut 0, block.len(), 10, &mut lines);
                    drop(block);
                    lines.into_iter().for_each(|line| sender.send((digit, line)).unwrap());
                }
            });
        }
        drop(sender);
        for _ in 0..2 {
            let receiver = receiver.clone();
            scope.spawn(move || {
                loop {
                    let Ok((digit, line)) = receiver.lock().unwrap().recv() else { return };
                    let clone = line.clone();
                    drop(line);
                    assert!(clone.bytes().all(|byte| byte == b'0' + digit as u8));
                }
            });
        }
    });
    assert!(pool.idle() <= 2);
}

#[test]
fn many_texts_are_dropped_together_and_each_once() {
    let block = |letter: &str| Block::from_utf8(letter.repeat(40).as_bytes()).unwrap();
    let line = |block: &Block| {
        let (mut lines, mut position) = (Vec::new(), 0);
        block.next_lines(&mut position, block.len(), 1, &mut lines);
        lines.remove(0)
    };
    let (first, second) = (block("a"), block("b"));
    let mut texts = vec![line(&first), line(&first), Text::from("short"), line(&second), line(&first), Text::EMPTY];
    Text::truncate(&mut texts, 9);
    assert_eq!((texts.len(), first.count(), second.count()), (6, 4, 2));
    Text::truncate(&mut texts, 1);
    assert_eq!((texts.len(), first.count(), second.count()), (1, 2, 1));
    let last = line(&second);
    drop(second);
    Text::truncate(&mut vec![last], 0);
}
