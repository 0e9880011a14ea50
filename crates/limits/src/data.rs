//! Generated input, the same on every machine: texts whose words follow Zipf's law, and pseudo-random records.

use std::collections::HashSet;
use std::path::Path;

const SEED: u64 = 0x4865_6164_7761_7465;
const WORDS_PER_LINE: usize = 10;

/// SplitMix64: small, fast, and good enough to shuffle words.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Random {
        Random(SEED)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Less than `end`. The bias is below one in 2^32 for the sizes used here.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// Different numbers become different numbers that look random.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Different words by rank, the commonest first.
pub(crate) struct Vocabulary {
    letters: Vec<u8>,
    /// Where each word ends in `letters`; it begins where the one before it ends.
    ends: Vec<usize>,
}

impl Vocabulary {
    pub(crate) fn new(size: usize) -> Vocabulary {
        let mut random = Random::new();
        // Twenty letters fit into 94 bits, and a set of numbers leaves no litter of small allocations behind it, which
        // would blur the peaks of memory measured later.
        let mut seen: HashSet<u128> = HashSet::with_capacity(size);
        let mut vocabulary = Vocabulary { letters: Vec::new(), ends: Vec::new() };
        while vocabulary.ends.len() < size {
            let start = vocabulary.letters.len();
            vocabulary.letters.extend((0..length(&mut random)).map(|_| b'a' + random.below(26) as u8));
            let letters = vocabulary.letters[start..].iter();
            if seen.insert(letters.fold(0, |number, letter| number * 27 + u128::from(letter - b'a' + 1))) {
                vocabulary.ends.push(vocabulary.letters.len());
            } else {
                vocabulary.letters.truncate(start);
            }
        }
        vocabulary
    }

    pub(crate) fn word(&self, rank: usize) -> &[u8] {
        let start = if rank == 0 { 0 } else { self.ends[rank - 1] };
        &self.letters[start..self.ends[rank]]
    }

    /// `bytes` of text or a line more.
    pub(crate) fn text(&self, bytes: usize) -> Vec<u8> {
        self.texts().next(bytes)
    }

    /// A text that never ends.
    pub(crate) fn texts(&self) -> Texts<'_> {
        Texts { vocabulary: self, random: Random::new(), zipf: Zipf::new(self.ends.len()) }
    }
}

/// Lines of ten words, words drawn by Zipf's law with exponent 1.
pub(crate) struct Texts<'a> {
    vocabulary: &'a Vocabulary,
    random: Random,
    zipf: Zipf,
}

impl Texts<'_> {
    /// The next `bytes`, or a line more.
    pub(crate) fn next(&mut self, bytes: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes + WORDS_PER_LINE * 24);
        while text.len() < bytes {
            for _ in 0..WORDS_PER_LINE {
                text.extend_from_slice(self.vocabulary.word(self.zipf.draw(&mut self.random)));
                text.push(b' ');
            }
            *text.last_mut().expect("a line has words") = b'\n';
        }
        text
    }
}

/// Letters of a word: 3 to 12, 7.5 on average; one word in 32 is a long one with eight more.
fn length(random: &mut Random) -> usize {
    let short = 3 + random.below(4) + random.below(4) + random.below(4);
    let more = if random.below(32) == 0 { 8 } else { 0 };
    (short + more) as usize
}

/// Draws ranks with a chance of 1/rank by Vose's alias method: two table look-ups whatever the size.
struct Zipf {
    /// For each column the chance, in 2^-64, to stay in it, and the column to go to otherwise.
    columns: Vec<(u64, u32)>,
}

impl Zipf {
    fn new(size: usize) -> Zipf {
        let total: f64 = (1..=size).map(|rank| 1.0 / rank as f64).sum();
        let mut chances: Vec<f64> = (1..=size).map(|rank| size as f64 / (rank as f64 * total)).collect();
        let mut columns: Vec<(u64, u32)> = (0..size).map(|column| (u64::MAX, column as u32)).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) = (0..size).partition(|at| chances[*at] < 1.0);
        while let (Some(low), Some(high)) = (poor.pop(), rich.pop()) {
            columns[low] = ((chances[low] * 2f64.powi(64)) as u64, high as u32);
            chances[high] -= 1.0 - chances[low];
            if chances[high] < 1.0 { poor.push(high) } else { rich.push(high) }
        }
        Zipf { columns }
    }

    fn draw(&self, random: &mut Random) -> usize {
        let column = random.below(self.columns.len() as u64) as usize;
        let (stay, other) = self.columns[column];
        if random.next() < stay { column } else { other as usize }
    }
}

/// A text of the user's. An empty one is refused: it has no word or line to divide by.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, String> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read --input {}: {error}", path.display()))?;
    if text.is_empty() { Err(format!("--input {} is empty: give a file with text", path.display())) } else { Ok(text) }
}

pub(crate) fn records(count: usize) -> Vec<u64> {
    let mut random = Random::new();
    (0..count).map(|_| random.next()).collect()
}

/// Pairs with `keys` different keys, evenly drawn, that look like hashed ids rather than small numbers.
pub(crate) fn pairs(count: usize, keys: u64) -> Vec<(u64, u64)> {
    let mut random = Random::new();
    (0..count).map(|_| (key(random.below(keys)), random.next() >> 32)).collect()
}

/// The key of this rank: different ranks have different keys. [`pairs`] draws ranks from 0 on.
pub(crate) fn key(rank: u64) -> u64 {
    mixed(rank.wrapping_add(1))
}

/// The pair of this number in an endless row of pairs like those of [`pairs`]: made where it is used, and kept nowhere.
pub(crate) fn pair(number: u64, keys: u64) -> (u64, u64) {
    let mut random = Random(mixed(SEED ^ number));
    (key(random.below(keys)), random.next() >> 32)
}

/// [`pairs`] in `count` batches of `size` each.
pub(crate) fn batches(count: usize, size: usize, keys: u64) -> Vec<Vec<(u64, u64)>> {
    pairs(count * size, keys).chunks(size).map(<[(u64, u64)]>::to_vec).collect()
}

/// Pairs with the keys of these ranks, in their order, in batches of `size`.
pub(crate) fn in_order(ranks: std::ops::Range<u64>, size: usize) -> impl Iterator<Item = Vec<(u64, u64)>> {
    let end = ranks.end;
    let batch = move |from: u64| (from..end.min(from + size as u64)).map(|rank| (key(rank), rank)).collect();
    ranks.step_by(size).map(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_same_on_every_run() {
        let text = Vocabulary::new(5000).text(10_000);
        assert_eq!(text, Vocabulary::new(5000).text(10_000));
        assert_eq!(
            text.iter().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))),
            13_080_933_734_696_083_525
        );
        assert_eq!(records(2), [7_805_420_885_980_038_677, 9_987_467_926_140_615_946]);
        assert_eq!(pairs(1000, 10), pairs(1000, 10));
    }

    #[test]
    fn words_are_as_common_as_zipf_says() {
        let (vocabulary, draws) = (1000, 1_000_000);
        let (zipf, mut random, mut counts) = (Zipf::new(vocabulary), Random::new(), vec![0u32; vocabulary]);
        (0..draws).for_each(|_| counts[zipf.draw(&mut random)] += 1);
        let total: f64 = (1..=vocabulary).map(|rank| 1.0 / rank as f64).sum();
        for rank in [1, 2, 3, 10, 50] {
            let expected = draws as f64 / (rank as f64 * total);
            let counted = f64::from(counts[rank - 1]);
            assert!((counted / expected - 1.0).abs() < 0.05, "rank {rank}: {counted} of {expected}");
        }
        let tail: u32 = counts[500..].iter().sum();
        let expected: f64 = (501..=vocabulary).map(|rank| draws as f64 / (rank as f64 * total)).sum();
        assert!((f64::from(tail) / expected - 1.0).abs() < 0.05, "tail: {tail} of {expected}");
    }

    #[test]
    fn words_differ_and_have_the_length_of_words() {
        let vocabulary = Vocabulary::new(20_000);
        let words: HashSet<&[u8]> = (0..20_000).map(|rank| vocabulary.word(rank)).collect();
        assert_eq!(words.len(), 20_000);
        let mean = vocabulary.letters.len() as f64 / 20_000.0;
        let long = words.iter().filter(|word| word.len() > 15).count();
        assert!((7.0..8.5).contains(&mean), "{mean} letters on average");
        assert!((100..1000).contains(&long), "{long} words over 15 letters");
    }

    #[test]
    fn lines_hold_ten_words() {
        let text = String::from_utf8(Vocabulary::new(5000).text(10_000)).unwrap();
        assert!((10_000..10_300).contains(&text.len()) && text.ends_with('\n'));
        assert!(text.lines().all(|line| line.split(' ').count() == 10 && !line.split(' ').any(str::is_empty)));
    }

    #[test]
    fn pairs_have_as_many_keys_as_asked() {
        for pairs in [pairs(10_000, 10), (0..10_000).map(|number| pair(number, 10)).collect()] {
            let mut counts: HashMap<u64, u32> = HashMap::new();
            pairs.iter().for_each(|(key, _)| *counts.entry(*key).or_default() += 1);
            assert_eq!(counts.len(), 10);
            assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
            assert!((0..10).all(|rank| counts.contains_key(&key(rank))));
        }
    }

    #[test]
    fn batches_are_cut_from_one_row() {
        assert_eq!(batches(3, 100, 10).concat(), pairs(300, 10));
        assert_eq!(
            in_order(5..10, 2).collect::<Vec<_>>(),
            [vec![(key(5), 5), (key(6), 6)], vec![(key(7), 7), (key(8), 8)], vec![(key(9), 9)]]
        );
    }
}
