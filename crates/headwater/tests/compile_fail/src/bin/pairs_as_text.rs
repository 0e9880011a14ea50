//! Pairs saved as text without saying how.
//~ `(String, u64)` does not say how it becomes a line of text
//~ map each record to the line you want
use headwater::DStream;

fn main() {
    let program = |pairs: DStream<(String, u64)>| pairs.save_as_text_files("counts", "txt");
    headwater::testkit::printed([vec![("a".to_string(), 1u64)]], program);
}
