//! Lines as Hadoop's `TextOutputFormat` writes them, and so Spark's `saveAsHadoopFile` with that format.

use std::fmt::Display;
use std::io::{self, Write};

/// Appends `key TAB value NEWLINE`. A key or value that is `None` (Hadoop's `null` and `NullWritable`) is left out
/// together with the tab, and a line without both is not written at all.
///
/// Nothing is escaped: a tab or newline inside of a text is one of the file, as with Hadoop.
///
/// ```
/// use headwater_files::text_output::write_line;
///
/// let mut out = Vec::new();
/// write_line(&mut out, Some("the"), Some(2))?;
/// write_line(&mut out, None::<&str>, Some("value alone"))?;
/// write_line(&mut out, Some("key alone"), None::<i32>)?;
/// write_line(&mut out, Some(""), Some(""))?;
/// write_line(&mut out, None::<&str>, None::<i32>)?;
/// assert_eq!(out, b"the\t2\nvalue alone\nkey alone\n\t\n");
/// # std::io::Result::Ok(())
/// ```
pub fn write_line(out: &mut impl Write, key: Option<impl Display>, value: Option<impl Display>) -> io::Result<()> {
    match (key, value) {
        (Some(key), Some(value)) => writeln!(out, "{key}\t{value}"),
        (Some(key), None) => writeln!(out, "{key}"),
        (None, Some(value)) => writeln!(out, "{value}"),
        (None, None) => Ok(()),
    }
}
