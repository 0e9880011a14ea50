//! Makes a stream of readings at a fixed rate, each a function of its number, and watches it through a listener: Spark's
//! `rate` source. Good for trying a program out under load.
//!
//! ```text
//! cargo run --release --example rate_stream
//! ```
//!
//! Three sensors send 50,000 readings a second. Every 200 ms the hottest reading of each is printed, and, by a listener,
//! which ranges of numbers the batch had. The readings of a batch follow from its number alone, so these lines are the
//! same in every run (only the times differ):
//!
//! ```text
//! sensor 0: 29.6, sensor 1: 29.7, sensor 2: 29.8
//! 1795274766200 ms: 10000 readings: partition 0, offsets 0..5000; partition 1, offsets 0..5000
//! ...
//! ```

use headwater::prelude::*;

/// The sensor and its temperature in tenths of a degree.
fn reading(number: u64) -> (u64, u64) {
    let sensor = number % 3;
    // Goes up and down over 100 readings, and has nothing to do with the clock.
    (sensor, 200 + number % 97 + sensor)
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("RateStream"), milliseconds(200))?;
    let readings = ssc.rate_stream(50_000, 2, reading);
    let hottest = readings.reduce_by_key(u64::max);
    hottest.foreach_rdd(|batch, _time| -> headwater::Result<()> {
        let mut hottest = batch.collect()?;
        hottest.sort();
        let texts = hottest.iter().map(|(sensor, tenths)| format!("sensor {sensor}: {}.{}", tenths / 10, tenths % 10));
        println!("{}", texts.collect::<Vec<_>>().join(", "));
        Ok(())
    });
    ssc.add_streaming_listener(|event: &StreamingEvent| {
        if let StreamingEvent::BatchCompleted(batch) = event {
            for input in batch.stream_id_to_input_info.values() {
                let ranges = input.metadata_description().unwrap_or_default().replace('\n', "; ");
                println!("{}: {} readings: {ranges}", batch.batch_time, input.num_records);
            }
        }
    });
    let running = ssc.start()?;
    running.await_batches(5)?;
    running.stop_gracefully()
}
