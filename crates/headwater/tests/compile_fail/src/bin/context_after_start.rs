//! A context that is built on after it was started.
//~ borrow of moved value: `ssc`
use headwater::prelude::*;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    ssc.socket_text_stream("localhost", 9999).print();
    let running = ssc.start().unwrap();
    ssc.socket_text_stream("localhost", 9998).print();
    running.await_termination().unwrap();
}
