//! `flat_map`: one record in, any number out.

use super::{CHUNK, Rdd};
use crate::origin::Origin;
use crate::{Closure, Record};

impl<T: Record> Rdd<T> {
    /// Applies `f` to every record and emits all that the results yield, in order.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// # let context = headwater::testkit::context();
    /// let lines = context.parallelize(vec![Text::from("to be"), Text::from("or not")], 1);
    /// assert_eq!(lines.flat_map(|line| line.split(' ')).collect()?, ["to", "be", "or", "not"]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn flat_map<I>(&self, f: impl Fn(T) -> I + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record> + 'static,
    {
        let origin = Origin::here("flat_map");
        self.narrow(false, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                for record in chunk.drain(..) {
                    for produced in f(record) {
                        if out.len() == CHUNK {
                            sink(&mut out)?;
                            task.check()?;
                            task.enter(origin);
                        }
                        out.push(produced);
                    }
                }
                sink(&mut out)
            })
        })
    }
}
