//! A record that borrows from the record it was made of.
//~ cannot return value referencing function parameter `line`
use headwater::prelude::*;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    let lines = ssc.socket_text_stream("localhost", 9999);
    lines.flat_map(|line| line.as_str().split(' ')).print();
}
