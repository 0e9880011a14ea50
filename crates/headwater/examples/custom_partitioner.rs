//! Decides by a partitioner of its own which keys are processed together, and writes each partition as a whole.
//!
//! ```text
//! cargo run --release --example custom_partitioner
//! ```
//!
//! It adds up sales by shop, one partition per country, and prints a line per partition and batch, in any
//! order:
//!
//! ```text
//! partition 0 of 3: [("de/berlin", 12), ("de/bonn", 4)]
//! partition 1 of 3: [("fr/paris", 9)]
//! partition 2 of 3: [("it/rome", 2)]
//! ```

use headwater::Partitioner;
use headwater::prelude::*;

/// Shops are called `country/town`. Every country has a partition; those that are not listed share the last one.
#[derive(PartialEq)]
struct ByCountry {
    countries: Vec<&'static str>,
}

impl Partitioner<String> for ByCountry {
    fn num_partitions(&self) -> usize {
        self.countries.len() + 1
    }
    fn partition(&self, shop: &String) -> usize {
        let listed = self.countries.iter().position(|country| shop.split('/').next() == Some(country));
        listed.unwrap_or(self.countries.len())
    }
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("CustomPartitioner"), milliseconds(200))?;
    let queue = RddQueue::new();
    let sales = [("de/berlin", 5), ("fr/paris", 9), ("de/berlin", 7), ("it/rome", 2), ("de/bonn", 4)];
    let sales = sales.map(|(shop, amount)| (shop.to_string(), amount)).to_vec();
    queue.push(ssc.context().parallelize(sales, 2))?;

    // Where Spark takes a partitioner as the last argument, here `with_partitioner` stands behind the operation.
    let by_country = ByCountry { countries: vec!["de", "fr"] };
    let partitions = by_country.num_partitions();
    let sums = ssc.queue_stream(&queue).reduce_by_key(|a, b| a + b).with_partitioner(by_country);
    // Runs in the tasks, once for each partition of every batch.
    sums.for_each_partition(move |shops, task| {
        let mut shops: Vec<(String, i32)> = shops.collect();
        shops.sort();
        println!("partition {} of {partitions}: {shops:?}", task.partition_id());
    });

    let running = ssc.start()?;
    running.await_batches(1)?;
    running.stop()
}
