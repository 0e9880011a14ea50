//! Each type against the bytes that Hadoop's class has.

use super::super::TextBytes;
use super::*;
use headwater_core::Text;
use std::fmt::Debug;

fn check<T: Writable + PartialEq + Debug>(value: T, class: &str, bytes: &[u8]) {
    assert_eq!(T::CLASS, format!("org.apache.hadoop.io.{class}"));
    assert!(types_of(T::CLASS).is_some());
    let mut out = b"before".to_vec();
    value.write(&mut out).unwrap();
    assert_eq!(out[6..], *bytes);
    let mut rest = &out[6..];
    assert_eq!(T::read(&mut rest).unwrap(), value);
    assert_eq!(rest, [0; 0]);
    for cut in 0..bytes.len() {
        let error = T::read(&mut &bytes[..cut]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
}

#[test]
fn values_have_hadoops_bytes() {
    check((), "NullWritable", &[]);
    check(true, "BooleanWritable", &[1]);
    check(-2i32, "IntWritable", &[255, 255, 255, 254]);
    check(258i64, "LongWritable", &[0, 0, 0, 0, 0, 0, 1, 2]);
    check(VInt(300), "VIntWritable", &[0x8e, 1, 0x2c]);
    check(VLong(-1), "VLongWritable", &[0xff]);
    check(1f32, "FloatWritable", &[0x3f, 0x80, 0, 0]);
    check(-2f64, "DoubleWritable", &[0xc0, 0, 0, 0, 0, 0, 0, 0]);
    check("né".to_string(), "Text", b"\x03n\xc3\xa9");
    check(Text::from("né"), "Text", b"\x03n\xc3\xa9");
    check(TextBytes(vec![0xff]), "Text", b"\x01\xff");
    check(vec![1u8, 2], "BytesWritable", &[0, 0, 0, 2, 1, 2]);
}

#[test]
fn what_is_wrong_is_said() {
    fn message<T: Writable>(bytes: &[u8]) -> String {
        T::read(&mut &bytes[..]).err().unwrap().to_string()
    }
    assert_eq!(message::<i64>(&[1, 2]), "LongWritable takes 8 bytes and 2 are left");
    assert_eq!(message::<bool>(&[7]), "BooleanWritable is 0 or 1, not 7");
    assert_eq!(message::<VInt>(&[0x8b, 1, 0, 0, 0, 0]), "VIntWritable has 32 bits, and 4294967296 does not fit");
    assert_eq!(message::<String>(&[0xff]), "Text has the length -1");
    assert_eq!(message::<String>(&[9, b'a']), "Text takes 9 bytes and 1 are left");
    assert!(message::<Text>(&[1, 0xff]).starts_with("Text is not UTF-8 (read it as TextBytes)"));
    assert_eq!(message::<Vec<u8>>(&[255, 0, 0, 0]), "BytesWritable has the length -16777216");
    assert_eq!(message::<Vec<u8>>(&[127, 255, 255, 255]), "BytesWritable takes 2147483647 bytes and 0 are left");
}
