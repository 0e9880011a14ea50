//! What the operators of datasets say when they are misused, and how they behave at the edges.

use headwater::prelude::*;
use headwater::{ErrorKind, testkit};
use std::collections::HashMap;

#[track_caller]
fn assert_refused<T: headwater::Data + std::fmt::Debug>(rdd: &Rdd<T>, parts: &[&str]) {
    let error = rdd.collect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn datasets_that_do_not_fit_are_not_zipped() {
    let context = testkit::context();
    let (three, four) = (context.parallelize(vec![1, 2, 3], 3), context.parallelize(vec![1, 2, 3, 4], 4));
    let place = format!("zip at {}:{}:", file!(), line!() + 1);
    assert_refused(&three.zip(&four), &[&place, "3 partitions and the other 4"]);
    assert_refused(&three.zip_partitions(&four, |a, _| a), &["zip_partitions at", "3 partitions and the other 4"]);
    let fewer = three.filter(|x| *x != 2);
    assert_refused(&three.zip(&fewer), &["zip at", "partition 1 has 1 records here and 0 in the other"]);
    assert_refused(&fewer.zip(&three), &["zip at", "partition 1 has 0 records here and 1 in the other"]);
}

#[test]
fn a_zip_of_more_than_a_chunk_stays_in_step() {
    let context = testkit::context();
    let numbers = context.parallelize((0..5000).collect(), 2);
    let odd_chunks = numbers.flat_map(|n| [n, n]).zip_with_index().unwrap().filter(|(_, i)| i % 2 == 0).keys();
    assert!(numbers.zip(&odd_chunks).collect().unwrap().iter().all(|(a, b)| a == b));
}

#[test]
fn a_shuffled_dataset_is_zipped_with_itself() {
    let numbers = testkit::context().parallelize((0..100).collect(), 4).repartition(3);
    let zipped = numbers.zip(&numbers.map(|n| n + 1)).collect().unwrap();
    assert!(zipped.len() == 100 && zipped.iter().all(|(a, b)| a + 1 == *b), "{zipped:?}");
    let sums = numbers.zip_partitions(&numbers, |a, b| [a.sum::<i32>() - b.sum::<i32>()]);
    assert_eq!(sums.collect().unwrap(), [0; 3]);
}

#[test]
fn partition_numbers_out_of_range_are_refused() {
    let context = testkit::context();
    let numbers = context.parallelize(vec![1, 2, 3], 3);
    assert_refused(&numbers.coalesce(0), &["coalesce(0)", "from 1 to 1048576"]);
    assert_refused(&numbers.coalesce_with_shuffle(0), &["repartition(0)"]);
    assert_refused(&numbers.distinct().with_partitions(0), &["with_partitions(0)"]);
    let wide = context.parallelize(vec![1], 1 << 11);
    assert_refused(&wide.cartesian(&wide), &["cartesian at", "2048 times 2048 partitions"]);
}

#[test]
fn fractions_and_weights_out_of_range_are_refused() {
    let context = testkit::context();
    let numbers = context.parallelize(vec![1, 2, 3], 1);
    assert_refused(
        &numbers.sample(false, 1.5, 0),
        &["sample at", "fraction 1.5", "without replacement", "from 0 to 1"],
    );
    assert_refused(&numbers.sample(true, -0.5, 0), &["fraction -0.5", "with replacement"]);
    assert_refused(&numbers.sample(true, f64::NAN, 0), &["fraction NaN"]);
    for part in numbers.random_split(&[1.0, -2.0], 0) {
        assert_refused(&part, &["random_split at", "the weight -2"]);
    }
    assert_refused(&numbers.random_split(&[0.0], 0)[0], &["add up to 0"]);
    assert!(numbers.random_split(&[], 0).is_empty());
    let pairs = numbers.key_by(|n| n % 2);
    assert_refused(&pairs.sample_by_key(false, HashMap::from([(1, 2.0)]), 0), &["sample_by_key at", "fraction 2"]);
    assert_refused(&pairs.sample_by_key(false, HashMap::from([(1, 0.5)]), 0), &["not among the 1 with a fraction"]);
}

#[test]
fn a_sample_has_the_size_that_is_asked_for() {
    let context = testkit::context();
    let numbers = context.parallelize((0..40_000).collect(), 8);
    for (with_replacement, fraction) in [(false, 0.01), (false, 0.5), (true, 0.5), (true, 2.25)] {
        let (count, expected) = (numbers.sample(with_replacement, fraction, 5).count().unwrap() as f64, 4e4 * fraction);
        assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{fraction}: {count}");
    }
    let picked = numbers.sample(false, 0.5, 1).collect().unwrap();
    assert_ne!(picked, numbers.sample(false, 0.5, 2).collect().unwrap(), "another seed picks others");
    let per_partition = numbers.sample(false, 0.01, 7).glom().map(|part| part.into_iter().map(|n| n % 5000).collect());
    let places: Vec<Vec<i32>> = per_partition.collect().unwrap();
    assert!(places.windows(2).all(|pair| pair[0] != pair[1]), "partitions pick at different places: {places:?}");
}

#[test]
fn a_sample_never_changes() {
    let context = testkit::context();
    let numbers = context.parallelize((0..40).collect::<Vec<_>>(), 2);
    assert_eq!(numbers.sample(false, 0.2, 42).collect().unwrap(), [2, 5, 6, 17, 21, 31, 32, 33, 35, 37, 39]);
    assert_eq!(numbers.sample(true, 0.2, 42).collect().unwrap(), [1, 8, 12, 28, 36]);
}

#[test]
fn datasets_without_partitions_pass_through() {
    let context = testkit::context();
    let none = context.empty_rdd::<i32>();
    assert_eq!(none.zip(&none).count().unwrap(), 0);
    assert_eq!(none.zip_with_index().unwrap().count().unwrap(), 0);
    assert_eq!(none.coalesce(3).num_partitions(), 0);
    assert_eq!(none.cartesian(&context.parallelize(vec![1], 2)).num_partitions(), 0);
    assert_eq!(none.distinct().count().unwrap() + none.subtract(&none).count().unwrap(), 0);
    assert_eq!(none.sample(true, 3.0, 1).count().unwrap(), 0);
}

#[test]
fn counting_for_an_index_computes_the_shuffle_once() {
    let context = testkit::context();
    let mapped = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = mapped.clone();
    let pairs = context.parallelize((0..100).collect(), 4).map(move |n| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (n, n)
    });
    let indexed = pairs.reduce_by_key(|a, b| a + b).zip_with_index().unwrap();
    let indices: Vec<u64> = indexed.values().collect().unwrap();
    assert_eq!(indices, (0..100).collect::<Vec<_>>());
    assert_eq!(mapped.load(std::sync::atomic::Ordering::Relaxed), 100);
}

#[test]
fn a_failed_count_is_returned_by_zip_with_index() {
    let numbers = testkit::context().parallelize(vec![1, 2, 3], 2).map(|n| if n == 1 { panic!("bad {n}") } else { n });
    assert!(numbers.zip_with_index().err().unwrap().to_string().contains("panicked: bad 1"));
}

#[test]
fn ranges_reach_from_end_to_end() {
    let context = testkit::context();
    assert_refused(&context.range(0..3, 0, 1), &["range(0..3, 0, 1)", "the step must not be 0"]);
    assert_refused(&context.range(0..3, 1, 0), &["range(0)", "from 1 to 1048576"]);
    let ends = context.range(i64::MIN..i64::MAX, i64::MAX, 3).collect().unwrap();
    assert_eq!(ends, [i64::MIN, -1, i64::MAX - 1]);
    let (most, least) = (i64::MAX, i64::MIN);
    let down = context.range(most..least, least, 2).collect().unwrap();
    assert_eq!(down, [i64::MAX, -1]);
    assert_eq!(context.range(i64::MIN..i64::MAX, 1, 4).take(2).unwrap(), [i64::MIN, i64::MIN + 1]);
    let (far, last) = (context.range(i64::MIN..i64::MAX, 1 << 48, 4), i64::MAX - (1 << 48) + 1);
    assert_eq!((far.count().unwrap(), far.max().unwrap()), (1 << 16, Some(last)));
}

#[test]
fn datasets_that_are_spread_alike_are_cogrouped_in_place() {
    let context = testkit::context();
    let by = context.hash_partitioner(3);
    let placed = |n: i32| context.parallelize((0..100).map(|k| (k, k * n)).collect(), 4).partition_by(by);
    let mapped = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = mapped.clone();
    // A shuffle behind this one would run it in map tasks: it is run once for each partition instead.
    let counted = placed(1).map_partitions_preserving(move |records| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        records
    });
    let all = placed(0).cogroup3(&counted, &placed(2));
    assert_eq!((all.partitioner(), all.num_partitions()), (Some(by.into()), 3));
    assert_eq!(all.filter(|(k, v)| *v == (vec![0], vec![*k], vec![k * 2])).count().unwrap(), 100);
    assert_eq!(mapped.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[test]
fn every_record_is_as_likely_in_a_taken_sample() {
    let context = testkit::context();
    let numbers = context.parallelize((0..40).collect::<Vec<usize>>(), 3);
    for with_replacement in [false, true] {
        let mut taken = [0; 40];
        for seed in 0..400 {
            numbers.take_sample(with_replacement, 10, seed).unwrap().iter().for_each(|n| taken[*n] += 1);
        }
        // Each is expected 100 times, with a deviation of some 9.
        assert!(taken.iter().all(|count| (60..140).contains(count)), "{taken:?}");
    }
}
