//! A partitioner for keys of another type.
//~ `ByLength` does not say which partition a `u64` belongs to
use headwater::{DStream, Partitioner};

#[derive(PartialEq)]
struct ByLength;
impl Partitioner<String> for ByLength {
    fn num_partitions(&self) -> usize {
        2
    }
    fn partition(&self, key: &String) -> usize {
        key.len() % 2
    }
}

fn program(numbers: DStream<(u64, u64)>) -> DStream<(u64, u64)> {
    numbers.reduce_by_key(|a, b| a + b).with_partitioner(ByLength)
}

fn main() {
    headwater::testkit::check([vec![(1, 1)]], program, [vec![(1, 1)]]);
}
