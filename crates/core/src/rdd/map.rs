//! `map`: one record in, one record out.

use super::{CHUNK, Rdd};
use crate::origin::Origin;
use crate::{Closure, Record};

impl<T: Record> Rdd<T> {
    /// Applies `f` to every record.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 2, 3], 2).map(|x| x * 10).collect()?, [10, 20, 30]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map<U: Record>(&self, f: impl Fn(T) -> U + Closure) -> Rdd<U> {
        self.map_as("map", f)
    }

    /// The same step under another operation's name.
    #[track_caller]
    pub(super) fn map_as<U: Record>(&self, kind: &'static str, f: impl Fn(T) -> U + Closure) -> Rdd<U> {
        let origin = Origin::here(kind);
        self.narrow(false, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                out.extend(chunk.drain(..).map(&f));
                sink(&mut out)
            })
        })
    }
}
