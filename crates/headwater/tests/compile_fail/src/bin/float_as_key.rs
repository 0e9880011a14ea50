//! A key that cannot be compared for equality.
//~ `f64` cannot be a key
//~ floating-point numbers are no keys
use headwater::prelude::*;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    let lines = ssc.socket_text_stream("localhost", 9999);
    lines.map(|line| (line.len() as f64, 1)).reduce_by_key(|a, b| a + b).print();
}
