//! An output operation that returns something.
//~ an output operation returns `()` or a `Result<(), E>`
use headwater::prelude::*;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    ssc.socket_text_stream("localhost", 9999).foreach_rdd(|rdd, _time| rdd.count());
}
