//! Operator ids: given by the user or derived, and stable while the program around them changes.

use headwater::DStream;
use headwater::prelude::*;
use headwater::testkit::{streaming_context, test_input};

/// The ids of a program, in the order of creation.
fn ids<R>(build: impl FnOnce(&StreamingContext) -> R) -> Vec<String> {
    let (ssc, _clock) = streaming_context();
    build(&ssc);
    let running = ssc.start().unwrap();
    running.operators().into_iter().map(|(id, _)| id.to_string()).collect()
}
fn input(ssc: &StreamingContext) -> DStream<i32> {
    test_input(ssc, Vec::new(), 1)
}

#[test]
fn derived_ids_are_pinned() {
    let ids = ids(|ssc| input(ssc).map(|x| (x, 1)).reduce_by_key(|a, b| a + b).print());
    let expected = [
        "test_input-802dc463d69344f9",
        "map-354f92def0fee885",
        "reduce_by_key-4cf5bede9c9c79a8",
        "print-21b460b9a5faf5e1",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn an_operator_elsewhere_changes_no_id() {
    let plain = ids(|ssc| {
        let numbers = input(ssc);
        numbers.map(|x| x).count().print();
    });
    let with_more = ids(|ssc| {
        let numbers = input(ssc);
        let odd = numbers.filter(|x| x % 2 == 1);
        numbers.map(|x| x).count().print();
        odd.map(|x| x).print();
        input(ssc).map(|x| x).print();
    });
    assert!(plain.iter().all(|id| with_more.contains(id)), "{plain:?} {with_more:?}");
    let different: std::collections::HashSet<_> = with_more.iter().collect();
    assert_eq!(different.len(), with_more.len());
}

#[test]
fn a_name_of_the_users_survives_a_change_before_it() {
    let before = ids(|ssc| input(ssc).count_by_value().uid("counts").print());
    let after = ids(|ssc| input(ssc).filter(|x| *x > 0).count_by_value().uid("counts").print());
    assert!(before.contains(&"counts".to_string()) && after.contains(&"counts".to_string()));
    assert_eq!(before.last(), after.last(), "what is behind a named operator is derived from the name");
}

#[test]
fn a_name_can_be_used_once() {
    let (ssc, _clock) = streaming_context();
    input(&ssc).map(|x| x).uid("same").map(|x| x).uid("same").print();
    let error = ssc.start().err().unwrap().to_string();
    assert!(error.contains("operator id \"same\" is used twice") && error.contains("operator_ids.rs"), "{error}");
}
