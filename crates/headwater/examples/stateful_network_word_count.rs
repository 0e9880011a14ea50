//! Counts words in lines from a TCP server from the start on, not batch by batch: Spark's `StatefulNetworkWordCount`.
//!
//! ```text
//! cargo run --release --example stateful_network_word_count                     # five batches of lines of its own
//! cargo run --release --example stateful_network_word_count -- localhost 9999   # reads from: nc -lk 9999
//! ```
//!
//! It prints the words of each batch with how often they came so far, and then the most frequent of all words:
//!
//! ```text
//! -------------------------------------------
//! Time: 1795274767000 ms
//! -------------------------------------------
//! ("the", 100)
//! ("hat", 51)
//! ...
//! 1795274767000 ms: 10 words, the most frequent is [("the", 100)]
//! ```

use headwater::prelude::*;
use std::error::Error;
use std::io::Write;
use std::net::{TcpListener, TcpStream};

const USAGE: &str = "usage: stateful_network_word_count [HOST PORT]";

/// A word, and how often it came.
type Count = (Text, u64);

/// For each word of a batch, how often it came so far. `map_with_state` touches the words that a batch brings.
pub(crate) fn counts_of_the_batch(words: &DStream<Count>, initial: &Rdd<Count>) -> DStream<Count> {
    let spec = StateSpec::function(|word: &Text, came: Option<u64>, count: &mut State<u64>| {
        let sum = count.get().unwrap_or(&0) + came.unwrap_or(0);
        count.update(sum);
        (word.clone(), sum)
    });
    words.map_with_state(spec.initial_state(initial)).stream()
}

/// All words and how often they came so far, in every batch. `update_state_by_key` asks for each of them.
pub(crate) fn counts_of_all(words: &DStream<Count>, initial: &Rdd<Count>) -> DStream<Count> {
    let update = |came: &[u64], count: Option<&u64>| Some(count.unwrap_or(&0) + came.iter().sum::<u64>());
    words.update_state_by_key_with(StateUpdate::function(update).initial_state(initial))
}

/// The words of a batch, each once: the state is then asked once for each.
pub(crate) fn words(lines: &DStream<Text>) -> DStream<Count> {
    lines.flat_map(|line| line.split(' ')).map(|word| (word, 1)).reduce_by_key(|a, b| a + b)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (host, port, batches) = match arguments.as_slice() {
        [] => ("127.0.0.1", serve_lines()?, Some(5)),
        [host, port] => (host.as_str(), port.parse().map_err(|_| format!("{port:?} is no port; {USAGE}"))?, None),
        _ => return Err(USAGE.into()),
    };

    let conf = Conf::new().master("local[2]").app_name("StatefulNetworkWordCount");
    let ssc = StreamingContext::new(conf, seconds(1))?;
    // Counts may begin with what an earlier run of the program has saved.
    let initial = ssc.context().parallelize(vec![(Text::from("hello"), 1), (Text::from("world"), 1)], 1);
    let words = words(&ssc.socket_text_stream(host, port));
    counts_of_the_batch(&words, &initial).print();
    counts_of_all(&words, &initial).foreach_rdd(|counts, time| -> headwater::Result<()> {
        let most = counts.top_by_key(1, |(_word, count)| *count)?;
        println!("{time}: {} words, the most frequent is {most:?}", counts.count()?);
        Ok(())
    });

    let running = ssc.start()?;
    match batches {
        Some(batches) => running.await_batches(batches)?,
        None => running.await_termination()?,
    }
    Ok(running.stop()?)
}

/// Starts a server on a free port of this machine that sends lines, over and over, to whoever connects; the port.
fn serve_lines() -> std::io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(send_lines));
    Ok(port)
}

/// Sends a line every 20 ms until the connection is closed.
fn send_lines(mut connection: TcpStream) {
    let poem = ["the cat and the hat", "the dog and the cat", "a hat is not a cat"];
    for line in poem.iter().cycle() {
        if writeln!(connection, "{line}").is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
