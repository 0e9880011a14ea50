//! Commands in the form in which they go over the wire (RESP): an array of byte strings with their lengths.

use crate::RedisArg;
use std::io::Write;

/// Begins a command of `strings` byte strings.
pub(crate) fn array(out: &mut Vec<u8>, strings: usize) {
    write!(out, "*{strings}\r\n").expect("memory takes what is written to it");
}
/// One of its byte strings.
pub(crate) fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    write!(out, "${}\r\n", bytes.len()).expect("memory takes what is written to it");
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}
/// One of them, made by way of `scratch`, since its length goes before it.
pub(crate) fn bulk_of(out: &mut Vec<u8>, arg: &(impl RedisArg + ?Sized), scratch: &mut Vec<u8>) {
    scratch.clear();
    arg.put(scratch);
    bulk(out, scratch);
}
/// A command as a whole.
pub(crate) fn command(out: &mut Vec<u8>, strings: &[&[u8]]) {
    array(out, strings.len());
    strings.iter().for_each(|string| bulk(out, string));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_an_array_of_byte_strings() {
        let mut out = Vec::new();
        command(&mut out, &[b"SET", b"key", b"\r\n"]);
        bulk_of(&mut out, &17, &mut Vec::new());
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$2\r\n\r\n\r\n$2\r\n17\r\n");
    }
}
