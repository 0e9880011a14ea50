//! A value that crosses a shuffle without being serialisable.
//~ `Price` cannot cross a shuffle or be collected
//~ put `#[derive(Clone, Serialize, Deserialize)]` on the type
use headwater::prelude::*;

struct Price(u64);

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    let lines = ssc.socket_text_stream("localhost", 9999);
    lines.map(|line| (line, Price(1))).reduce_by_key(|a, b| Price(a.0 + b.0)).count().print();
}
