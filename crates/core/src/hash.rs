//! The hash of a record's key: computed once, where a task reads the record. It picks the reduce partition and the
//! slot in the combine table, travels with the record, and comes out the same in every process of an application.
//!
//! An application draws its [`HashSeed`] once and keeps it in its journal, so that a recovered driver sends keys to
//! the same partitions. The seed is a secret: who does not know it cannot choose keys that collide.

use std::hash::{BuildHasher, Hash, Hasher};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

/// The secret numbers of one application's hash. Tables and partitioners copy it.
///
/// ```
/// use headwater_core::hash::{HashSeed, hash_of};
///
/// let (seed, other) = (HashSeed::new(7), HashSeed::new(8));
/// assert_eq!(hash_of(seed, &"key"), hash_of(seed, &String::from("key")));
/// assert_ne!(hash_of(seed, &"key"), hash_of(other, &"key"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashSeed {
    /// The state before the first word.
    state: u64,
    /// What every word is multiplied by; odd.
    multiplier: u64,
    /// The secrets of rapidhash, as many as its smallest form uses.
    secrets: [u64; 3],
}

impl HashSeed {
    /// Expands `seed` to the numbers that the hash uses; different seeds give unrelated numbers.
    pub const fn new(seed: u64) -> HashSeed {
        let (state, position) = split_mix(seed);
        let (multiplier, position) = split_mix(position);
        let (first, position) = split_mix(position);
        let (second, position) = split_mix(position);
        let (third, _) = split_mix(position);
        HashSeed { state, multiplier: multiplier | 1, secrets: [first, second, third] }
    }
}

/// The seed is a secret, and logs are read by many.
impl std::fmt::Debug for HashSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashSeed(..)")
    }
}

/// One step of splitmix64: the number for `position`, and the next position.
pub(crate) const fn split_mix(position: u64) -> (u64, u64) {
    let next = position.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31), next)
}

impl BuildHasher for HashSeed {
    type Hasher = StableHasher;

    #[inline(always)]
    fn build_hasher(&self) -> StableHasher {
        StableHasher { state: self.state, multiplier: self.multiplier, secrets: self.secrets }
    }
}

/// Hashes words by folded multiplication and byte strings by rapidhash v3.
///
/// What protects against chosen keys: a word is xored into the secret state, and the product's other operand is the
/// secret multiplier. A word equal to the state makes the product zero, but it is the only word that does, and the
/// next word meets a known state only then; since data never stands in both operands, no zero can wipe out the rest
/// of a key, and no set of keys collides under all seeds. Byte strings do meet data in both operands, so there both
/// are masked by secrets, and the protected form of rapidhash keeps the operands even if a product is zero. This
/// resists who sends keys blindly; it is no cipher, and does not resist who can read the hashes.
///
/// Integers of a pointer's size hash as 64 bits. A slice of them (`Vec<usize>`) is hashed by std as raw bytes, which
/// is stable on 64-bit little-endian platforms, the only ones that [`Text`](crate::text::Text) supports.
pub struct StableHasher {
    state: u64,
    multiplier: u64,
    secrets: [u64; 3],
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Everything by value: a reference to the hasher would keep its state out of registers where only words are hashed.
#[inline]
fn hash_bytes(state: u64, [first, second, third]: [u64; 3], bytes: &[u8]) -> u64 {
    let secrets = RapidSecrets { seed: state, secrets: [first, second, third, 0, 0, 0, 0] };
    rapidhash_v3_nano_inline::<true, true>(bytes, &secrets)
}

/// Integers that are hashed as one word. A signed one is widened by its sign where its width is the platform's.
macro_rules! write_word {
    ($($write:ident: $word:ty as $widened:ty),+ $(,)?) => {$(
        #[inline(always)]
        fn $write(&mut self, word: $word) {
            self.write_u64(word as $widened as u64);
        }
    )+};
}

impl Hasher for StableHasher {
    #[inline(always)]
    fn write_u64(&mut self, word: u64) {
        self.state = fold(self.state ^ word, self.multiplier);
    }

    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        self.state = hash_bytes(self.state, self.secrets, bytes);
    }

    write_word! {
        write_u8: u8 as u8,
        write_u16: u16 as u16,
        write_u32: u32 as u32,
        write_usize: usize as usize,
        write_i8: i8 as u8,
        write_i16: i16 as u16,
        write_i32: i32 as u32,
        write_i64: i64 as i64,
        write_isize: isize as i64,
    }

    #[inline(always)]
    fn write_u128(&mut self, words: u128) {
        self.write_u64(words as u64);
        self.write_u64((words >> 64) as u64);
    }

    #[inline(always)]
    fn write_i128(&mut self, words: i128) {
        self.write_u128(words as u128);
    }

    /// The high bits pick a partition and the low ones a slot. After a multiplication each half has weak patterns for
    /// keys in a sequence, so both get bits from three places. (Xoring three rotations loses nothing.)
    #[inline(always)]
    fn finish(&self) -> u64 {
        self.state ^ self.state.rotate_left(25) ^ self.state.rotate_left(50)
    }
}

/// The hash of a key.
///
/// ```
/// use headwater_core::hash::{HashSeed, hash_of, partition_of};
///
/// let seed = HashSeed::new(2013);
/// let partition = partition_of(hash_of(seed, &("clicks", 42u64)), 8);
/// assert!(partition < 8);
/// ```
#[inline(always)]
pub fn hash_of<K: Hash + ?Sized>(seed: HashSeed, key: &K) -> u64 {
    seed.hash_one(key)
}

/// The partition of a hash, below `partitions`: the high 32 bits as a fraction of the whole.
///
/// ```
/// use headwater_core::hash::partition_of;
///
/// assert_eq!(partition_of(0, 10), 0);
/// assert_eq!(partition_of(1 << 63, 10), 5);
/// assert_eq!(partition_of(u64::MAX, 10), 9);
/// ```
#[inline(always)]
pub const fn partition_of(hash: u64, partitions: usize) -> usize {
    (((hash >> 32) * partitions as u64) >> 32) as usize
}

#[cfg(test)]
mod tests;
