//! The vectors of Spark's `JavaAPISuite` (`Java8APISuite` has the same) that `basic_operations` does not have, on both
//! engines; each names its test there. Inputs have one partition, unless it says otherwise.

use crate::contexts::{batches_of, on_both_engines};
use headwater::Data;
use headwater::prelude::*;
use headwater::testkit::{Check, CheckOnBothEngines, IsolatedProgram, test_input};
use std::fmt::Debug;

type Words = Vec<Vec<String>>;
type Pairs<V> = Vec<Vec<(String, V)>>;

fn words(batches: &[&[&str]]) -> Words {
    batches.iter().map(|batch| batch.iter().map(|word| word.to_string()).collect()).collect()
}
/// Batches of pairs of words.
fn teams(batches: &[&[(&str, &str)]]) -> Pairs<String> {
    batches
        .iter()
        .map(|batch| batch.iter().map(|(city, team)| (city.to_string(), team.to_string())).collect())
        .collect()
}
fn of_words<V: Clone>(batches: &[&[(&str, V)]]) -> Pairs<V> {
    batches.iter().map(|batch| batch.iter().map(|(word, value)| (word.to_string(), value.clone())).collect()).collect()
}
const CALIFORNIA: &str = "california";
const NEW_YORK: &str = "new york";

/// `stringStringKVStream`.
fn string_strings() -> Pairs<String> {
    teams(&[
        &[(CALIFORNIA, "dodgers"), (CALIFORNIA, "giants"), (NEW_YORK, "yankees"), (NEW_YORK, "mets")],
        &[(CALIFORNIA, "sharks"), (CALIFORNIA, "ducks"), (NEW_YORK, "rangers"), (NEW_YORK, "islanders")],
    ])
}
/// `stringIntKVStream`.
fn string_ints() -> Pairs<i32> {
    of_words(&[
        &[(CALIFORNIA, 1), (CALIFORNIA, 3), (NEW_YORK, 4), (NEW_YORK, 1)],
        &[(CALIFORNIA, 5), (CALIFORNIA, 5), (NEW_YORK, 3), (NEW_YORK, 1)],
    ])
}
/// The two streams of `testTransformWith`, `testCoGroup` and `testJoin`.
fn baseball_and_hockey() -> [Pairs<String>; 2] {
    [
        teams(&[&[(CALIFORNIA, "dodgers"), (NEW_YORK, "yankees")], &[(CALIFORNIA, "sharks"), (NEW_YORK, "rangers")]]),
        teams(&[&[(CALIFORNIA, "giants"), (NEW_YORK, "mets")], &[(CALIFORNIA, "ducks"), (NEW_YORK, "islanders")]]),
    ]
}
fn letters(word: &str) -> Vec<String> {
    word.chars().map(String::from).collect()
}

fn one_partition() -> Check {
    Check::new().input_partitions(1)
}
/// Records in order.
fn in_order(name: &str) -> CheckOnBothEngines {
    // Shown if it fails.
    println!("{name}");
    one_partition().in_order().on_both_engines()
}
/// Records in any order.
#[track_caller]
fn vector<T: Data, U: Data + PartialEq + Debug>(
    name: &str,
    input: impl IntoIterator<Item = Vec<T>>,
    program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    println!("{name}");
    one_partition().on_both_engines().run(input, program, expected);
}

#[test]
fn records() {
    in_order("testCount").run([vec![1, 2, 3, 4], vec![3, 4, 5], vec![3]], |s| s.count(), [vec![4], vec![3], vec![1]]);
    let input = || words(&[&["hello", "world"], &["goodnight", "moon"]]);
    in_order("testMap").run(input(), |s| s.map(|word| word.len()), [vec![5, 5], vec![9, 4]]);
    let input = || words(&[&["giants", "dodgers"], &["yankees", "red sox"]]);
    let with_an_a = |s: DStream<String>| s.filter(|word| word.contains('a'));
    in_order("testFilter").run(input(), with_an_a, words(&[&["giants"], &["yankees"]]));
    let lengths =
        move |s: DStream<String>| s.map(|word| (word.clone(), word.len())).filter(|(word, _)| word.contains('a'));
    in_order("testPairFilter").run(input(), lengths, of_words(&[&[("giants", 6)], &[("yankees", 7)]]));
    in_order("testGlom").run(input(), |s| s.glom(), input().into_iter().map(|batch| vec![batch]));
    let loud =
        |s: DStream<String>| s.map_partitions(|words| [words.map(|word| word.to_uppercase()).collect::<String>()]);
    in_order("testMapPartitions").run(input(), loud, words(&[&["GIANTSDODGERS"], &["YANKEESRED SOX"]]));
    let numbers = || [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]];
    in_order("testReduce").run(numbers(), |s| s.reduce(|a, b| a + b), [vec![6], vec![15], vec![24]]);
    let plus_two = |s: DStream<i32>| s.transform(|rdd, _| rdd.map(|n| n + 2));
    in_order("testTransform").run(numbers(), plus_two, [vec![3, 4, 5], vec![6, 7, 8], vec![9, 10, 11]]);
}

#[test]
fn records_of_records() {
    let input = || words(&[&["go", "giants"], &["boo", "dodgers"], &["athletics"]]);
    let expected = ["gogiants", "boododgers", "athletics"].map(letters);
    in_order("testFlatMap").run(input(), |s| s.flat_map(|word| letters(&word)), expected);
    let with_length = |word: &String| letters(word).into_iter().map(|letter| (word.len(), letter)).collect::<Vec<_>>();
    let input = words(&[&["giants"], &["dodgers"], &["athletics"]]);
    let expected: Vec<_> = input.iter().map(|batch| with_length(&batch[0])).collect();
    assert_eq!(expected[2][8], (9, "s".to_string()));
    in_order("testPairFlatMap").run(input, move |s| s.flat_map(move |word| with_length(&word)), expected);
    let input = of_words(&[&[("hi", 1), ("ho", 2)], &[("hi", 1), ("ho", 2)]]);
    let expected = [(1, "h"), (1, "i"), (2, "h"), (2, "o")].map(|(n, letter)| (n, letter.to_string())).to_vec();
    let letters_of_keys =
        |s: DStream<(String, i32)>| s.flat_map(|(word, n)| letters(&word).into_iter().map(move |letter| (n, letter)));
    in_order("testPairToPairFlatMapWithChangingTypes").run(input, letters_of_keys, [expected.clone(), expected]);
}

#[test]
fn partitions_and_unions() {
    for (name, from, to) in [("testRepartitionMorePartitions", 2, 4), ("testRepartitionFewerPartitions", 4, 2)] {
        println!("{name}");
        let input = || [(); 2].map(|()| (1..=10).collect::<Vec<i32>>());
        let check = Check::new().input_partitions(from).on_both_engines();
        check.run(input(), move |s| s.repartition(to), input());
        check.run(input(), move |s| s.repartition(to).glom().count(), [[to as u64]; 2].map(Vec::from));
    }
    println!("testUnion");
    let (left, right) = ([vec![1, 1], vec![2, 2], vec![3, 3]], [vec![4, 4], vec![5, 5], vec![6, 6]]);
    let expected = [vec![1, 1, 4, 4], vec![2, 2, 5, 5], vec![3, 3, 6, 6]];
    Check::new().in_order().on_both_engines().run_two(left, right, |l, r| l.union(&r), expected);
}

#[test]
fn pairs() {
    let swapped = || string_ints().into_iter().map(|batch| batch.into_iter().map(|(city, n)| (n, city)).collect());
    in_order("testPairMap").run(string_ints(), |s| s.map(|(city, n)| (n, city)), swapped());
    let partitions = |s: DStream<(String, i32)>| s.map_partitions(|pairs| pairs.map(|(city, n)| (n, city)));
    in_order("testPairMapPartitions").run(string_ints(), partitions, swapped());
    in_order("testPairMap2").run(string_ints(), |s| s.map(|(_, n)| n), [vec![1, 3, 4, 1], vec![5, 5, 3, 1]]);
    let loud = teams(&[
        &[(CALIFORNIA, "DODGERS"), (CALIFORNIA, "GIANTS"), (NEW_YORK, "YANKEES"), (NEW_YORK, "METS")],
        &[(CALIFORNIA, "SHARKS"), (CALIFORNIA, "DUCKS"), (NEW_YORK, "RANGERS"), (NEW_YORK, "ISLANDERS")],
    ]);
    in_order("testMapValues").run(string_strings(), |s| s.map_values(|team| team.to_uppercase()), loud);
    let numbered = |batch: Vec<(String, String)>| {
        let twice = |(city, team): (String, String)| [1, 2].map(|n| (city.clone(), format!("{team}{n}")));
        batch.into_iter().flat_map(twice).collect::<Vec<_>>()
    };
    let twice = |s: DStream<(String, String)>| s.flat_map_values(|team| [1, 2].map(|n| format!("{team}{n}")));
    let expected: Vec<_> = string_strings().into_iter().map(numbered).collect();
    assert_eq!(expected[1][7].1, "islanders2");
    in_order("testFlatMapValues").run(string_strings(), twice, expected);
}

#[test]
fn pairs_by_key() {
    let grouped = |first: [&str; 2], second: [&str; 2]| {
        let teams = |teams: [&str; 2]| teams.map(str::to_owned).to_vec();
        vec![(CALIFORNIA.to_string(), teams(first)), (NEW_YORK.to_string(), teams(second))]
    };
    vector(
        "testPairGroupByKey",
        string_strings(),
        |s| s.group_by_key(),
        [grouped(["dodgers", "giants"], ["yankees", "mets"]), grouped(["sharks", "ducks"], ["rangers", "islanders"])],
    );
    let sums = of_words(&[&[(CALIFORNIA, 4), (NEW_YORK, 5)], &[(CALIFORNIA, 10), (NEW_YORK, 4)]]);
    vector("testPairReduceByKey", string_ints(), |s| s.reduce_by_key(|a, b| a + b), sums.clone());
    let combined = |s: DStream<(String, i32)>| {
        let sum = |a: i32, b: i32| a + b;
        s.combine_by_key(|n| n, sum, sum).with_partitioner(s.context().hash_partitioner(2))
    };
    vector("testCombineByKey", string_ints(), combined, sums);
    vector(
        "testCountByValue",
        words(&[&["hello", "world"], &["hello", "moon"], &["hello"]]),
        |s| s.count_by_value(),
        of_words(&[&[("hello", 1), ("world", 1)], &[("hello", 1), ("moon", 1)], &[("hello", 1)]]),
    );
    let input = || [vec![(3, 5), (1, 5), (4, 5), (2, 5)], vec![(2, 5), (3, 5), (4, 5), (1, 5)]];
    let sorted = [(); 2].map(|()| vec![(1, 5), (2, 5), (3, 5), (4, 5)]);
    in_order("testPairTransform").run(input(), |s| s.transform(|rdd, _| rdd.sort_by_key(true)), sorted);
    let firsts = |s: DStream<(i32, i32)>| s.transform(|rdd, _| rdd.map(|pair| pair.0));
    in_order("testPairToNormalRDDTransform").run(input(), firsts, [vec![3, 1, 4, 2], vec![2, 3, 4, 1]]);
}

#[test]
fn pairs_of_two_streams() {
    let two = |name: &str| {
        println!("{name}");
        one_partition().on_both_engines()
    };
    let each = |both: fn(String, String) -> (Vec<String>, Vec<String>)| {
        let [left, right] = baseball_and_hockey();
        let pair = move |(left, right): ((String, String), (String, String))| (left.0, both(left.1, right.1));
        let batch = |(left, right): (Vec<_>, Vec<_>)| left.into_iter().zip(right).map(pair).collect();
        left.into_iter().zip(right).map(batch).collect::<Vec<Vec<_>>>()
    };
    let [left, right] = baseball_and_hockey();
    let lists = each(|left, right| (vec![left], vec![right]));
    two("testCoGroup").run_two(left.clone(), right.clone(), |l, r| l.cogroup(&r), lists.clone());
    let joined: Vec<Vec<_>> = lists
        .into_iter()
        .map(|batch| batch.into_iter().map(|(city, (l, r))| (city, (l[0].clone(), r[0].clone()))).collect())
        .collect();
    two("testJoin").run_two(left.clone(), right.clone(), |l, r| l.join(&r), joined.clone());
    two("testTransformWith").run_two(left, right, |l, r| l.transform_with(&r, |l, r, _| l.join(&r)), joined);
    let left = teams(&[&[(CALIFORNIA, "dodgers"), (NEW_YORK, "yankees")], &[(CALIFORNIA, "sharks")]]);
    let right = teams(&[&[(CALIFORNIA, "giants")], &[(NEW_YORK, "islanders")]]);
    let program = |l: DStream<(String, String)>, r: DStream<(String, String)>| l.left_outer_join(&r).count();
    two("testLeftOuterJoin").run_two(left, right, program, [vec![2], vec![1]]);
}

/// `testStreamingContextTransform`, whose third stream has other records than the first two.
#[test]
fn three_streams() {
    let build = |ssc: &StreamingContext| {
        let input = |batches: [i32; 2]| test_input(ssc, batches.map(|n| Some(vec![n])).to_vec(), 1);
        let named = [(1, 'x'), (2, 'y')].map(|pair| Some(vec![(pair.0, pair.1.to_string())]));
        let numbers = ssc.transform(&[input([1, 2]), input([3, 4])], |rdds, _| {
            assert_eq!(rdds.len(), 2);
            rdds[0].union(&rdds[1]).map(|n| (n, n))
        });
        numbers.transform_with(&test_input(ssc, named.to_vec(), 1), |numbers, named, _| numbers.join(&named))
    };
    let expected = [(1, (1, "x".to_string())), (2, (2, "y".to_string()))].map(|record| Some(vec![record]));
    assert_eq!(batches_of(2, build), [&expected; 2]);
}

/// `testForeachRDD`.
#[test]
fn foreach_rdd() {
    let built = on_both_engines(|ssc| {
        let accumulators = ["RDDs", "elements"].map(|name| ssc.context().long_accumulator(name));
        let stream = test_input(ssc, vec![Some(vec![1, 1, 1]); 2], 1);
        stream.count().print();
        let [rdds, elements] = accumulators.clone();
        stream.foreach_rdd(move |rdd, _| {
            rdds.add(1);
            let elements = elements.clone();
            rdd.for_each(move |_| elements.add(1))
        });
        stream.foreach_rdd(|_, _| ());
        accumulators
    });
    for built in built {
        let (_running, accumulators) = built.run(2);
        assert_eq!(accumulators.map(|accumulator| accumulator.value()), [2, 6]);
    }
}

/// `testQueueStream`.
#[test]
fn queue_stream() {
    let built = on_both_engines(|ssc| {
        let queue = RddQueue::new();
        let stream = ssc.queue_stream(&queue);
        (queue, stream)
    });
    let input = [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]];
    for built in built {
        let (queue, stream) = &built.result;
        input.iter().for_each(|batch| queue.push(built.ssc.context().parallelize(batch.clone(), 2)).unwrap());
        let (sent, received) = std::sync::mpsc::channel();
        stream.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        let _running = built.run(3);
        assert_eq!(received.try_iter().collect::<Vec<_>>(), input);
    }
}
