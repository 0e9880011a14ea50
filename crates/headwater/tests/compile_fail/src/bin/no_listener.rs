//! A listener that is none.
//~ `Unheard` is no listener
//~ `|event: &StreamingEvent| ...`
use headwater::prelude::*;

struct Unheard;

fn main() {
    let ssc = StreamingContext::new(Conf::new(), seconds(1)).unwrap();
    ssc.add_streaming_listener(Unheard);
}
