//! A closure that shares something between the driver and its tasks without locks.
//~ this closure cannot run in a task
//~ `Arc` for `Rc`
use headwater::prelude::*;
use std::rc::Rc;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    let (lines, prefix) = (ssc.socket_text_stream("localhost", 9999), Rc::new(String::from("> ")));
    lines.filter(move |line| line.starts_with(prefix.as_str())).print();
}
