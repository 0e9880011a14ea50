//! The hash is pinned, even, and different for each seed.

use std::collections::HashSet;

use super::*;
use crate::text::Text;

fn golden(seed: HashSeed) -> Vec<(&'static str, u64)> {
    let long = "a text of more than fifteen bytes, which is hashed as bytes and not as words";
    vec![
        ("str", hash_of(seed, "the")),
        ("long str", hash_of(seed, long)),
        ("Text", hash_of(seed, &Text::from("the"))),
        ("long Text", hash_of(seed, &Text::from(long))),
        ("u64", hash_of(seed, &42u64)),
        ("i32", hash_of(seed, &-42i32)),
        ("u128", hash_of(seed, &(42u128 << 70))),
        ("tuple", hash_of(seed, &(42u64, -1i16, 'x'))),
        ("pair of texts", hash_of(seed, &(Text::from("the"), Text::from(long)))),
        ("Vec<u8>", hash_of(seed, &vec![1u8, 2, 3])),
        ("Some", hash_of(seed, &Some(42u64))),
        ("None", hash_of(seed, &None::<u64>)),
    ]
}

/// A change here moves the keys of every recovered application to other partitions, and is a change of format.
#[test]
fn hashes_are_pinned() {
    assert_eq!(
        golden(HashSeed::new(1)),
        [
            ("str", 0xbd5b_a8df_ab61_2a56),
            ("long str", 0xc6c2_e9e0_dbd1_3ef7),
            ("Text", 0xff56_de76_9a85_ab86),
            ("long Text", 0xc1d3_b786_aa2e_fe69),
            ("u64", 0x5aa2_c821_1312_e8c1),
            ("i32", 0x528e_4720_be3b_cdf2),
            ("u128", 0xb140_a4bb_1a27_f2ce),
            ("tuple", 0xc8c9_1d24_1876_e837),
            ("pair of texts", 0x3a2b_9ce1_af02_9071),
            ("Vec<u8>", 0x1095_2454_c8ff_acdf),
            ("Some", 0x1990_3192_037b_bc3b),
            ("None", 0x9e2e_3a5c_dc38_8547),
        ]
    );
    assert_eq!(
        golden(HashSeed::new(0x5EED)),
        [
            ("str", 0x6d47_3a2e_762b_335e),
            ("long str", 0x6ccf_1754_3d06_6a47),
            ("Text", 0x0133_c158_63e4_1e94),
            ("long Text", 0xcacb_d30e_51a1_792c),
            ("u64", 0xe382_6e96_0416_8458),
            ("i32", 0x2566_b200_9df7_7c8e),
            ("u128", 0x712a_9fa1_e17f_6b4a),
            ("tuple", 0xb0fc_5507_55ef_982e),
            ("pair of texts", 0xbd28_2e52_4ab3_a252),
            ("Vec<u8>", 0xe532_cbaf_e3cd_703d),
            ("Some", 0x63f9_0f4a_0297_5e5d),
            ("None", 0xd41c_924c_9df4_405d),
        ]
    );
}

#[test]
fn integers_of_pointer_size_hash_as_64_bits() {
    let seed = HashSeed::new(3);
    assert_eq!(hash_of(seed, &7usize), hash_of(seed, &7u64));
    assert_eq!(hash_of(seed, &-7isize), hash_of(seed, &-7i64));
}

#[test]
fn partitions_are_even_for_keys_in_a_sequence() {
    const KEYS: u64 = 100_000;
    for step in [1, 10, 1 << 20] {
        for partitions in [2, 8, 10, 64] {
            let mut fill = vec![0u64; partitions];
            for key in 0..KEYS {
                fill[partition_of(hash_of(HashSeed::new(11), &(key * step)), partitions)] += 1;
            }
            let even = KEYS / partitions as u64;
            let (least, most) = (*fill.iter().min().unwrap(), *fill.iter().max().unwrap());
            assert!(least > even * 9 / 10 && most < even * 11 / 10, "step {step}: {fill:?}");
        }
    }
}

/// The pairs of keys that meet in one of 2^12 slots.
fn collisions<K: Hash>(seed: HashSeed, keys: &[K]) -> HashSet<(usize, usize)> {
    let slots: Vec<u64> = keys.iter().map(|key| hash_of(seed, key) % 4096).collect();
    let pairs = (0..keys.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    pairs.filter(|(a, b)| slots[*a] == slots[*b]).collect()
}

#[test]
fn seeds_give_different_collisions() {
    fn check<K: Hash>(keys: &[K]) {
        let (one, two) = (collisions(HashSeed::new(1), keys), collisions(HashSeed::new(2), keys));
        // 2000 keys make 2 million pairs, of which 488 collide in 4096 slots; a common one is a coincidence.
        assert!((300..700).contains(&one.len()) && (300..700).contains(&two.len()), "{} {}", one.len(), two.len());
        assert!(one.intersection(&two).count() < 5);
    }
    check(&(0..2000u64).collect::<Vec<_>>());
    check(&(0..2000u64).map(|key| Text::from(format!("word{key}"))).collect::<Vec<_>>());
    check(&(0..2000u64).map(|key| format!("a key of bytes {key}")).collect::<Vec<_>>());
    check(&(0..2000u64).map(|key| (key % 40, key / 40)).collect::<Vec<_>>());
}

/// If a word meets the secret state the product is zero, but only that word does, and what follows still counts.
#[test]
fn a_zero_product_hides_no_later_word() {
    let seed = HashSeed::new(5);
    let hashes: HashSet<u64> = (0..1000u64).map(|next| hash_of(seed, &(seed.state, next))).collect();
    assert_eq!(hashes.len(), 1000);
    let first: HashSet<u64> = (0..1000u64).map(|near| hash_of(seed, &(seed.state ^ near))).collect();
    assert_eq!(first.len(), 1000);
}
