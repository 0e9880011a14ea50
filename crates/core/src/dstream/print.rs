//! `print`: the first records of every batch on the console.

use super::{DStream, OutputOperation};
use crate::rdd::Rdd;
use crate::time::Time;
use crate::{Record, Result};
use std::fmt::{Debug, Write};

/// Records that [`DStream::print`] shows.
const SHOWN: usize = 10;
const RULE: &str = "-------------------------------------------";

impl<T: Record + Debug> DStream<T> {
    /// An output operation: prints the first ten records of every batch, one a line, under the batch's time, and
    /// `...` if there are more. Source: Spark's `print()`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let printed = testkit::printed([vec![('a', 1), ('b', 2)]], |pairs| pairs.print());
    /// let rule = "-".repeat(43);
    /// assert_eq!(printed, format!("{rule}\nTime: 1000 ms\n{rule}\n('a', 1)\n('b', 2)\n\n"));
    /// ```
    #[track_caller]
    pub fn print(&self) -> OutputOperation {
        self.print_first(SHOWN)
    }

    /// As [`DStream::print`], with the first `shown` records. 0 prints `...` for a batch that has any.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let printed = testkit::printed([vec![1, 2, 3]], |numbers| numbers.print_first(2));
    /// assert!(printed.ends_with("1\n2\n...\n\n"));
    /// ```
    #[track_caller]
    pub fn print_first(&self, shown: usize) -> OutputOperation {
        let console = self.context().env().console.clone();
        // Records become text in their task: a record need not be serialisable to be printed.
        let as_text = |rdd: Rdd<T>, _: &_| rdd.map(|record| format!("{record:?}"));
        self.output("print", as_text, move |lines, time| {
            console.print(&page(&lines, time, shown)?);
            Ok(())
        })
    }
}

fn page(lines: &Rdd<String>, time: Time, shown: usize) -> Result<String> {
    let first = lines.take(shown.saturating_add(1))?;
    let mut page = format!("{RULE}\nTime: {time}\n{RULE}\n");
    for line in first.iter().take(shown) {
        writeln!(page, "{line}").expect("a String takes everything");
    }
    if first.len() > shown {
        page.push_str("...\n");
    }
    page.push('\n');
    Ok(page)
}
