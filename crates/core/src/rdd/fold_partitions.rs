//! Folding each partition into at most one record, chunk by chunk: what `glom`, `count` and `reduce` are made of.

use super::Rdd;
use super::retain::truncate;
use crate::origin::Origin;
use crate::{Closure, Record};
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// Folds every partition, also an empty one; `finish` says what it emits.
    #[track_caller]
    pub(crate) fn fold_partitions<A, U: Record>(
        &self,
        kind: &'static str,
        start: impl Fn() -> A + Closure,
        step: impl Fn(&mut A, &mut Vec<T>) + Closure,
        finish: impl Fn(A) -> Option<U> + Closure,
    ) -> Rdd<U> {
        let origin = Origin::here(kind);
        self.narrow(false, move |parent, task, sink| {
            let mut folded = start();
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                step(&mut folded, chunk);
                truncate(chunk, 0);
                Ok(())
            })?;
            let mut out: Vec<U> = finish(folded).into_iter().collect();
            if out.is_empty() { Ok(()) } else { sink(&mut out) }
        })
    }
}

/// The step that reduces chunks to one record, if there is any.
pub(crate) fn reducing<T>(reduce: Arc<impl Fn(T, T) -> T + Closure>) -> impl Fn(&mut Option<T>, &mut Vec<T>) + Closure {
    move |total, chunk| {
        let mut records = chunk.drain(..);
        let first = total.take().or_else(|| records.next());
        *total = first.map(|first| records.fold(first, |total, record| reduce(total, record)));
    }
}
