//! Spark's `BasicOperationsSuite`: its inputs and its outputs, on both engines.

use crate::contexts::{batches_of, on_both_engines};
use headwater::prelude::*;
use headwater::testkit::{
    Check, CheckOnBothEngines, check_on_both_engines as check, check_two_on_both_engines as check_two, test_input,
};

/// Both engines, records in order.
fn in_order() -> CheckOnBothEngines {
    Check::new().in_order().on_both_engines()
}
fn numbers() -> [Vec<i32>; 3] {
    [(1..=4).collect(), (5..=8).collect(), (9..=12).collect()]
}
fn words(batches: &[&[&str]]) -> Vec<Vec<String>> {
    batches.iter().map(|batch| batch.iter().map(|word| word.to_string()).collect()).collect()
}
fn pair<V>(word: &str, value: V) -> (String, V) {
    (word.to_string(), value)
}
fn ones(words: DStream<String>) -> DStream<(String, i32)> {
    words.map(|word| (word, 1))
}

#[test]
fn map() {
    let expected = numbers().map(|batch| batch.iter().map(i32::to_string).collect());
    in_order().run(numbers(), |s| s.map(|x| x.to_string()), expected);
}

#[test]
fn flat_map() {
    let expected = numbers().map(|batch| batch.iter().flat_map(|x| [*x, x * 2]).collect());
    in_order().run(numbers(), |s| s.flat_map(|x| [x, x * 2]), expected);
}

#[test]
fn filter() {
    in_order().run(numbers(), |s| s.filter(|x| x % 2 == 0), [vec![2, 4], vec![6, 8], vec![10, 12]]);
}

#[test]
fn glom() {
    let expected = [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]];
    let expected = expected.map(|batch| batch.map(|part| part.to_vec()).to_vec());
    in_order().run(numbers(), |s| s.glom(), expected);
}

#[test]
fn map_partitions() {
    let expected = [vec![3, 7], vec![11, 15], vec![19, 23]];
    in_order().run(numbers(), |s| s.map_partitions(|records| [records.sum::<i32>()]), expected);
}

#[test]
fn repartition_to_more_and_to_fewer() {
    let batches = || [1, 101, 201].map(|from| (from..from + 100).collect::<Vec<i32>>());
    for (from, to) in [(2, 5), (5, 2)] {
        let check = Check::new().input_partitions(from).on_both_engines();
        check.run(batches(), move |s| s.repartition(to), batches());
        check.run(
            batches(),
            move |s| s.repartition(to).glom().map(|part| part.len()),
            [(); 3].map(|()| vec![100 / to; to]),
        );
    }
}

#[test]
fn group_by_key() {
    let input = words(&[&["a", "a", "b"], &["", ""], &[]]);
    let expected = [vec![pair("a", vec![1, 1]), pair("b", vec![1])], vec![pair("", vec![1, 1])], vec![]];
    check(input, |s| ones(s).group_by_key(), expected);
}

#[test]
fn group_by_key_keeps_the_order_of_arrival() {
    let input = [(0..5000).map(|n| (n % 3, n)).collect::<Vec<(i32, i32)>>()];
    let expected = [0, 1, 2].map(|key| (key, (0..5000).filter(|n| n % 3 == key).collect::<Vec<i32>>()));
    Check::new().input_partitions(1).on_both_engines().run(input, |s| s.group_by_key(), [expected.to_vec()]);
}

#[test]
fn reduce_by_key_and_the_value_maps() {
    let input = || words(&[&["a", "a", "b"], &["", ""], &[]]);
    let sums = |s: DStream<String>| ones(s).reduce_by_key(|a, b| a + b);
    check(input(), sums, [vec![pair("a", 2), pair("b", 1)], vec![pair("", 2)], vec![]]);
    let plus_ten = move |s| sums(s).map_values(|n| n + 10);
    check(input(), plus_ten, [vec![pair("a", 12), pair("b", 11)], vec![pair("", 12)], vec![]]);
    let both = move |s| sums(s).flat_map_values(|n| [n, n + 10]);
    let expected =
        [vec![pair("a", 2), pair("a", 12), pair("b", 1), pair("b", 11)], vec![pair("", 2), pair("", 12)], vec![]];
    check(input(), both, expected);
}

#[test]
fn reduce() {
    check(numbers(), |s| s.reduce(|a, b| a + b), [vec![10], vec![26], vec![42]]);
    check([vec![], vec![7]], |s: DStream<i32>| s.reduce(|a, b| a + b), [vec![], vec![7]]);
}

#[test]
fn count() {
    let input = [vec![], vec![1], vec![1, 2], vec![1, 2, 3], vec![1, 2, 3, 4]];
    check(input, |s| s.count(), [0, 1, 2, 3, 4].map(|n| vec![n]));
}

#[test]
fn count_by_value() {
    let input = [vec![1], vec![1, 1, 1], vec![1, 2], vec![1, 1, 2, 2]];
    check(input, |s| s.count_by_value(), [vec![(1, 1)], vec![(1, 3)], vec![(1, 1), (2, 1)], vec![(1, 2), (2, 2)]]);
}

#[test]
fn union() {
    let input = [1, 101, 201].map(|from| (from..from + 4).collect::<Vec<i32>>());
    let two = [1, 101, 201].map(|from| (from..from + 8).collect::<Vec<i32>>());
    in_order().run(input.clone(), |s| s.union(&s.map(|x| x + 4)), two);
    let three = [1, 101, 201].map(|from| (from..from + 12).collect::<Vec<i32>>());
    in_order().run(input, |s| s.union_all(&[s.map(|x| x + 4), s.map(|x| x + 8)]), three);
}

/// `StreamingContext.union` and `StreamingContext.transform`, each over three streams.
#[test]
fn union_and_transform_by_the_context() {
    let three = |ssc: &StreamingContext| {
        let input = [1, 101, 201].map(|from| Some((from..from + 4).collect::<Vec<i32>>()));
        let s = test_input(ssc, input.to_vec(), 2);
        [s.clone(), s.map(|x| x + 4), s.map(|x| x + 8)]
    };
    let expected = [1, 101, 201].map(|from| Some((from..from + 12).collect::<Vec<i32>>()));
    for union in batches_of(3, move |ssc| ssc.union(&three(ssc))) {
        assert_eq!(union, expected);
    }
    let transform = move |ssc: &StreamingContext| {
        ssc.transform(&three(ssc), |rdds, _| {
            assert_eq!(rdds.len(), 3);
            rdds[0].context().union(rdds.clone())
        })
    };
    for transformed in batches_of(3, transform) {
        assert_eq!(transformed, expected);
    }
}

#[test]
fn transform() {
    let expected = numbers().map(|batch| batch.iter().map(i32::to_string).collect());
    check(numbers(), |s| s.transform(|rdd, _| rdd.map(|x| x.to_string())), expected);
    check(
        [vec![0], vec![0]],
        |s| s.transform(|rdd, time| rdd.map(move |_| time.milliseconds())),
        [vec![1000], vec![2000]],
    );
}

fn left() -> Vec<Vec<String>> {
    words(&[&["a", "b"], &["a", ""], &[""], &[]])
}
fn right() -> Vec<Vec<String>> {
    words(&[&["a", "b"], &["b", ""], &[], &[""]])
}
fn exes(words: DStream<String>) -> DStream<(String, char)> {
    words.map(|word| (word, 'x'))
}

#[test]
fn transform_with() {
    let program = |l, r| ones(l).transform_with(&exes(r), |l, r, _| l.join(&r));
    let expected = [vec![pair("a", (1, 'x')), pair("b", (1, 'x'))], vec![pair("", (1, 'x'))], vec![], vec![]];
    check_two(left(), right(), program, expected);
}

#[test]
fn cogroup() {
    let left = words(&[&["a", "a", "b"], &["a", ""], &[""], &[]]);
    let right = words(&[&["a", "a", "b"], &["b", ""], &[], &[]]);
    let expected = [
        vec![pair("a", (vec![1, 1], vec!['x', 'x'])), pair("b", (vec![1], vec!['x']))],
        vec![pair("a", (vec![1], vec![])), pair("b", (vec![], vec!['x'])), pair("", (vec![1], vec!['x']))],
        vec![pair("", (vec![1], vec![]))],
        vec![],
    ];
    check_two(left, right, |l, r| ones(l).cogroup(&exes(r)), expected);
}

#[test]
fn joins() {
    let first = [pair("a", (1, 'x')), pair("b", (1, 'x'))];
    check_two(
        left(),
        right(),
        |l, r| ones(l).join(&exes(r)),
        [first.to_vec(), vec![pair("", (1, 'x'))], vec![], vec![]],
    );
    let some = |pairs: &[(String, (i32, char))]| pairs.iter().map(|(k, (v, w))| (k.clone(), (*v, Some(*w)))).collect();
    check_two(
        left(),
        right(),
        |l, r| ones(l).left_outer_join(&exes(r)),
        [some(&first), vec![pair("", (1, Some('x'))), pair("a", (1, None))], vec![pair("", (1, None))], vec![]],
    );
    let some = |pairs: &[(String, (i32, char))]| pairs.iter().map(|(k, (v, w))| (k.clone(), (Some(*v), *w))).collect();
    check_two(
        left(),
        right(),
        |l, r| ones(l).right_outer_join(&exes(r)),
        [some(&first), vec![pair("", (Some(1), 'x')), pair("b", (None, 'x'))], vec![], vec![pair("", (None, 'x'))]],
    );
    let some =
        |pairs: &[(String, (i32, char))]| pairs.iter().map(|(k, (v, w))| (k.clone(), (Some(*v), Some(*w)))).collect();
    let full = [
        some(&first),
        vec![pair("", (Some(1), Some('x'))), pair("a", (Some(1), None)), pair("b", (None, Some('x')))],
        vec![pair("", (Some(1), None))],
        vec![pair("", (None, Some('x')))],
    ];
    check_two(left(), right(), |l, r| ones(l).full_outer_join(&exes(r)), full);
}

/// Ruling: a stream without an RDD passes through everything as such; a join takes the missing side as empty.
#[test]
fn a_batch_without_an_rdd() {
    let input = || [Some(vec![(1, 1)]), None, Some(vec![])];
    let out = |program: fn(DStream<(i32, i32)>) -> DStream<i32>| {
        let [local, isolated] = Check::new().on_both_engines().outputs(input(), program);
        assert_eq!(local.as_ref().unwrap(), &isolated.unwrap());
        local.unwrap()
    };
    let sizes = [Some(vec![1]), None, Some(vec![])];
    assert_eq!(out(|s| s.map(|(k, _)| k)), sizes);
    assert_eq!(out(|s| s.reduce_by_key(|a, _| a).map(|(k, _)| k)), sizes);
    assert_eq!(out(|s| s.map(|(k, _)| k).repartition(3)), sizes);
    assert_eq!(
        out(|s| s.transform(|rdd, time| {
            assert_ne!(time.milliseconds(), 2000);
            rdd.map(|(k, _)| k)
        })),
        sizes
    );
    assert_eq!(out(|s| s.join(&s).map(|(k, _)| k)), sizes);
    assert_eq!(out(|s| s.union(&s).map(|(k, _)| k)), [Some(vec![1, 1]), None, Some(vec![])]);
    assert_eq!(out(|s| s.count().map(|n| n as i32)), [Some(vec![1]), None, Some(vec![0])]);
}

/// Spark's rows "with input stream return None", whose jobs fail there. Ruling: what has no RDD is left out, or empty
/// beside one that has; where there is none at all, the user's `transform` is not called.
#[test]
fn input_streams_that_return_none() {
    let numbers = |ssc: &StreamingContext| {
        test_input(ssc, vec![Some((1..=4).collect::<Vec<i32>>()), Some((101..=104).collect()), None], 2)
    };
    let eight = [Some((1..=8).collect::<Vec<i32>>()), Some((101..=108).collect()), None];
    let union = move |ssc: &StreamingContext| numbers(ssc).union(&numbers(ssc).map(|x| x + 4));
    assert_eq!(batches_of(3, union), [&eight; 2]);
    let texts = eight.clone().map(|batch| Some(batch?[..4].iter().map(i32::to_string).collect::<Vec<_>>()));
    let transform = move |ssc: &StreamingContext| numbers(ssc).transform(|rdd, _| rdd.map(|x| x.to_string()));
    assert_eq!(batches_of(3, transform), [&texts; 2]);
    let by_context = move |ssc: &StreamingContext| {
        let streams = [numbers(ssc), numbers(ssc).map(|x| x + 4)];
        ssc.transform(&streams, |rdds, _| rdds[0].context().union(rdds.clone()))
    };
    assert_eq!(batches_of(3, by_context), [&eight; 2]);
}

/// The same for two streams, each of which has an RDD at other times.
#[test]
fn transform_with_of_input_streams_that_return_none() {
    let inputs = |ssc: &StreamingContext| {
        let input = |batches: &[Option<&[&str]>]| {
            let batch = |batch: &[&str]| batch.iter().map(|word| word.to_string()).collect::<Vec<_>>();
            test_input(ssc, batches.iter().map(|words| words.map(batch)).collect(), 2)
        };
        let left = input(&[Some(&["a", "b"]), Some(&["a", ""]), Some(&[""]), None, None]);
        (left, input(&[Some(&["a", "b"]), None, Some(&[]), Some(&["c"]), None]))
    };
    let expected = [Some(vec!["a", "b", "a", "b"]), Some(vec!["a", ""]), Some(vec![""]), Some(vec!["c"]), None];
    let expected = expected.map(|batch| Some(batch?.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    let transform_with = move |ssc: &StreamingContext| {
        let (left, right) = inputs(ssc);
        left.transform_with(&right, |left, right, _| left.union(&right))
    };
    assert_eq!(batches_of(5, transform_with), [&expected; 2]);
    let union = move |ssc: &StreamingContext| {
        let (left, right) = inputs(ssc);
        ssc.union(&[left, right])
    };
    assert_eq!(batches_of(5, union), [&expected; 2]);
    // A side without an RDD has no key.
    let keys = move |ssc: &StreamingContext| {
        let (left, right) = inputs(ssc);
        let both = left.map(|word| (word, 1)).cogroup(&right.map(|word| (word, 'x'))).with_partitions(1);
        both.transform(|rdd, _| rdd.sort_by_key(true)).map(|(word, (l, r))| format!("{word}{}{}", l.len(), r.len()))
    };
    let words = |words: &[&str]| Some(words.iter().map(|word| word.to_string()).collect::<Vec<_>>());
    let expected = [words(&["a11", "b11"]), words(&["10", "a10"]), words(&["10"]), words(&["c01"]), None];
    assert_eq!(batches_of(5, keys), [&expected; 2]);
}

/// Spark's "transform with NULL": there is no null here. What stands for nothing is an empty dataset, as Spark's message
/// says.
#[test]
fn transform_to_nothing() {
    let [local, isolated] = batches_of(2, |ssc| {
        let numbers = test_input(ssc, vec![Some(vec![1, 2]), Some(vec![3])], 2);
        let nothing = numbers.transform(|rdd, _| rdd.context().empty_rdd::<i32>());
        nothing.map(|x| x + 1).union(&nothing.reduce(|a, b| a + b)).union(&nothing.repartition(2))
    });
    assert_eq!([local, isolated], [[Some(vec![]), Some(vec![])], [Some(vec![]), Some(vec![])]]);
    check(
        [vec![1], vec![2]],
        |s: DStream<i32>| s.transform(|rdd, _| rdd.context().empty_rdd::<i32>()).count(),
        [[0]; 2].map(Vec::from),
    );
}

#[test]
fn slice() {
    let built = on_both_engines(|ssc| {
        ssc.remember(minutes(1));
        let stream = test_input(ssc, (1..=4).map(|n| Some(vec![n])).collect(), 2);
        stream.foreach_rdd(|_, _| ());
        stream
    });
    for built in built {
        let engine = built.engine;
        let (_running, stream) = built.run(4);
        let slice = |from, to| -> Vec<i32> {
            let rdds = stream.slice(Time::from_millis(from), Time::from_millis(to)).unwrap();
            rdds.iter().flat_map(|rdd| rdd.collect().unwrap()).collect()
        };
        let slices = [slice(0, 1000), slice(0, 2000), slice(1000, 2000), slice(2000, 4000)];
        assert_eq!(slices, [vec![1], vec![1, 2], vec![1, 2], vec![2, 3, 4]], "on the {engine} engine");
    }
}

/// The `map` of "rdd cleanup - map and window", which remembers what is asked for, and no more.
#[test]
fn rdd_cleanup_of_a_map() {
    let built = on_both_engines(|ssc| {
        ssc.remember(seconds(3));
        let input = (0..10).map(|n| Some(vec![n, n + 1])).collect();
        let mapped = test_input(ssc, input, 2).map(|x: i32| (x % 10, 1));
        mapped.foreach_rdd(|rdd, _| rdd.count().map(drop));
        mapped
    });
    for built in built {
        let engine = built.engine;
        let (running, mapped) = built.run(10);
        running.stop_gracefully().unwrap();
        let remembers = |from| mapped.slice(Time::from_millis(from), Time::from_millis(10_000)).is_ok();
        assert_eq!([10_000, 8000, 7000, 1000].map(remembers), [true, true, false, false], "on the {engine} engine");
    }
}

#[test]
fn with_partitions_means_the_operation_before_it() {
    let sizes = |s: DStream<(i32, i32)>| s.glom().map(|part| part.len()).count();
    let input = || [vec![(1, 1), (2, 2)]];
    check(input(), move |s| sizes(s.reduce_by_key(|a, _| a).with_partitions(7)), [vec![7]]);
    check(input(), move |s| sizes(s.join(&s).with_partitions(7).map(|(k, _)| (k, k))), [vec![7]]);
}

#[test]
fn print_shows_ten_and_says_when_there_are_more() {
    let rule = "-".repeat(43);
    let printed =
        headwater::testkit::printed([(0..11).collect(), vec![5], vec![]], |numbers: DStream<i32>| numbers.print());
    let ten: String = (0..10).map(|n| format!("{n}\n")).collect();
    let page = |time: i64, body: &str| format!("{rule}\nTime: {time} ms\n{rule}\n{body}\n");
    assert_eq!(printed, page(1000, &format!("{ten}...\n")) + &page(2000, "5\n") + &page(3000, ""));
    let none = headwater::testkit::printed([vec![1], vec![]], |numbers| numbers.print_first(0));
    assert_eq!(none, page(1000, "...\n") + &page(2000, ""));
}

#[test]
fn any_number_of_threads_and_partitions_gives_the_same() {
    for (threads, partitions) in [(1, 1), (1, 7), (3, 1), (4, 16)] {
        let input = [(0..1000).map(|n| n % 17).collect::<Vec<u64>>()];
        let expected = [(0..17).map(|key| (key, (0..1000).filter(|n| n % 17 == key).count() as u64)).collect()];
        let check = Check::new().threads(threads).input_partitions(partitions).on_both_engines();
        check.run(input, |s| s.count_by_value(), expected);
    }
}

#[test]
fn more_records_than_a_chunk_pass_through_every_operator() {
    let input = [(0..10_000).collect::<Vec<u64>>()];
    let program = |s: DStream<u64>| {
        let pairs = s.flat_map(|n| [n, n + 1]).filter(|n| n % 3 != 0).map(|n| (n % 100, n)).map_values(|n| n * 2);
        pairs.group_by_key().flat_map_values(|all| all).map(|(_, n)| n).reduce(|a, b| a + b)
    };
    let expected: u64 = (0..10_000u64).flat_map(|n| [n, n + 1]).filter(|n| n % 3 != 0).map(|n| n * 2).sum();
    check(input, program, [vec![expected]]);
}

#[test]
fn text_splits_where_only_a_reference_is_at_hand() {
    use headwater::prelude::*;
    let lines = [vec![Text::from("a b c"), Text::from("a 1")]];
    let program = |lines: DStream<Text>| {
        let long = lines.filter(|line| line.split(' ').count() > 2 && !line.chars().any(char::is_numeric));
        long.map(|line| ((&line).split(' ').next().unwrap(), line.len()))
    };
    check(lines, program, [vec![(Text::from("a"), 5)]]);
}
