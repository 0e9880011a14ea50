//! A stream used inside the closure of another: it belongs to the driver.
//~ this closure cannot run in a task
//~ a DStream or context belongs to the driver
use headwater::prelude::*;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    let lines = ssc.socket_text_stream("localhost", 9999);
    let other = lines.clone();
    lines.map(move |line| (line, other.slide_duration())).print();
}
