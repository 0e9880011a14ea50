//! `for_each` and `try_for_each`: the user's code on every record, for what it does outside.

use super::Rdd;
use super::try_map::failed;
use crate::origin::Origin;
use crate::{Closure, Record, Result};
use std::convert::Infallible;
use std::error::Error;

impl<T: Record> Rdd<T> {
    /// Runs `f` on every record, in the tasks. A task that fails runs again from its first record, so what `f` does
    /// outside must do no harm when it is done twice. For one connection per partition use
    /// [`Rdd::map_partitions`] and an action.
    ///
    /// ```
    /// # use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
    /// # let context = headwater::testkit::context();
    /// let seen = Arc::new(AtomicU64::new(0));
    /// let sum = seen.clone();
    /// context.parallelize(vec![1, 2, 3], 2).for_each(move |n| drop(sum.fetch_add(n, Ordering::Relaxed)))?;
    /// assert_eq!(seen.load(Ordering::Relaxed), 6);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn for_each(&self, f: impl Fn(T) + Closure) -> Result<()> {
        self.each("for_each", move |record| {
            f(record);
            Ok::<(), Infallible>(())
        })
    }

    /// As [`Rdd::for_each`], for an `f` that may fail, in the way of [`Rdd::try_map`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let send = |n: i32| if n < 3 { Ok(()) } else { Err(format!("the server does not take {n}")) };
    /// context.parallelize(vec![1, 2], 2).try_for_each(send)?;
    /// let error = context.parallelize(vec![1, 2, 3], 2).try_for_each(send).unwrap_err();
    /// assert!(error.to_string().ends_with("the server does not take 3"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn try_for_each<E>(&self, f: impl Fn(T) -> Result<(), E> + Closure) -> Result<()>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.each("try_for_each", f)
    }

    #[track_caller]
    fn each<E>(&self, kind: &'static str, f: impl Fn(T) -> Result<(), E> + Closure) -> Result<()>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let origin = Origin::here(kind);
        let task_results: Result<Vec<()>> = self.run_job(0..self.num_partitions(), move |node, task| {
            node.compute(task, &mut |chunk| {
                task.enter(origin);
                chunk.drain(..).try_for_each(&f).map_err(|error| failed(origin, error))
            })
        });
        task_results.map(drop)
    }
}
