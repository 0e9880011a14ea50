//! Counts words in lines from a TCP server, batch by batch: the first example of Spark's streaming guide.
//!
//! ```text
//! cargo run --release --example network_word_count                     # reads from a line source of its own
//! cargo run --release --example network_word_count -- localhost 9999   # reads from: nc -lk 9999
//! ```
//!
//! `--batches N` ends after N batches; without it, Ctrl-C does.

use headwater::prelude::*;
use std::error::Error;
use std::io::Write;
use std::net::{TcpListener, TcpStream};

const USAGE: &str = "usage: network_word_count [HOST PORT] [--batches N]";

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let (host, port) = match arguments.server {
        Some(server) => server,
        None => ("127.0.0.1".to_string(), serve_lines()?),
    };

    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("NetworkWordCount"), seconds(1))?;
    let lines = ssc.socket_text_stream(&host, port);
    let counts = lines.flat_map(|line| line.split(' ')).map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b);
    counts.print();
    let running = ssc.start()?;

    match arguments.batches {
        Some(batches) => running.await_batches(batches)?,
        None => running.await_termination()?,
    }
    Ok(running.stop()?)
}

struct Arguments {
    server: Option<(String, u16)>,
    batches: Option<u64>,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let (mut server, mut batches, mut host) = (None, None, None);
        while let Some(argument) = arguments.next() {
            match (argument.as_str(), host.take()) {
                ("--batches", None) => {
                    let count = arguments.next().unwrap_or_default();
                    let count = count.parse().ok().filter(|count| *count > 0);
                    batches = Some(count.ok_or("--batches takes a whole number from 1 on")?);
                }
                (_, None) if server.is_none() && !argument.starts_with('-') => host = Some(argument),
                (port, Some(host)) => {
                    let port = port.parse().map_err(|_| format!("{port:?} is no port; it is a number up to 65535"))?;
                    server = Some((host, port));
                }
                _ => return Err(format!("unexpected argument {argument:?}; {USAGE}")),
            }
        }
        match host {
            Some(host) => Err(format!("a port is missing behind host {host:?}; {USAGE}")),
            None => Ok(Arguments { server, batches }),
        }
    }
}

/// Starts a server on a free port of this machine that sends lines, over and over, to whoever connects; the port.
fn serve_lines() -> std::io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || send_lines(connection));
        }
    });
    println!("A line source of this program's own sends to 127.0.0.1:{port}.");
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
