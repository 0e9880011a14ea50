//! [`RedisArg`]: what can be a key, a field or a value.

use headwater_core::Text;
use std::io::Write;
use std::sync::Arc;

/// Something that Redis keeps as bytes: a key, a field or a value. Text is kept as it is, a number in decimal digits.
///
/// ```
/// use headwater_redis::RedisArg;
/// fn shown(arg: impl RedisArg) -> String {
///     let mut bytes = Vec::new();
///     arg.put(&mut bytes);
///     String::from_utf8(bytes).unwrap()
/// }
/// assert_eq!([shown("a"), shown(-7), shown(0.5), shown(true)], ["a", "-7", "0.5", "true"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key, a field or a value in Redis",
    note = "make text, bytes or a number of it, for example by `.to_string()`, or implement `RedisArg`"
)]
pub trait RedisArg {
    /// Adds its bytes to those in `out`.
    fn put(&self, out: &mut Vec<u8>);
}

impl<A: RedisArg + ?Sized> RedisArg for &A {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}
impl<A: RedisArg + ?Sized> RedisArg for Arc<A> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

macro_rules! bytes {
    ($($type:ty: $as_bytes:ident),*) => {$(
        impl RedisArg for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.$as_bytes());
            }
        }
    )*};
}
bytes!(str: as_bytes, String: as_bytes, [u8]: as_ref, Vec<u8>: as_ref);

impl RedisArg for Text {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
}
impl<const N: usize> RedisArg for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

macro_rules! displayed {
    ($($type:ty),*) => {$(
        impl RedisArg for $type {
            fn put(&self, out: &mut Vec<u8>) {
                write!(out, "{self}").expect("memory takes what is written to it");
            }
        }
    )*};
}
displayed!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char);
