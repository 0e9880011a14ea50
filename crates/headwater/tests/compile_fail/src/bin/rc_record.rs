//! A record that cannot move between threads.
//~ cannot be a record of a stream
//~ use owned, thread-safe types
use headwater::prelude::*;
use std::rc::Rc;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    let lines = ssc.socket_text_stream("localhost", 9999);
    lines.map(|line| Rc::new(line.len())).count().print();
}
