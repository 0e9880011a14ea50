//! `filter`: keeps the records that pass.

use super::Rdd;
use super::retain::retain;
use crate::origin::Origin;
use crate::{Closure, Record};

impl<T: Record> Rdd<T> {
    /// Keeps the records for which `keep` is true. Keys stay where they are.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 2, 3, 4], 2).filter(|x| x % 2 == 0).collect()?, [2, 4]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn filter(&self, keep: impl Fn(&T) -> bool + Closure) -> Rdd<T> {
        let origin = Origin::here("filter");
        self.narrow(true, move |parent, task, sink| {
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                retain(chunk, &keep);
                if chunk.is_empty() { Ok(()) } else { sink(chunk) }
            })
        })
    }
}
