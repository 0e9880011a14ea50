//! `Vec::retain` for the chunks of a `filter`: without a branch per record.
#![allow(unsafe_code, reason = "records are copied over dropped ones without looking")]

use crate::text::Text;
use std::any::Any;
use std::{mem, ptr};

/// Keeps the records that pass, in order.
///
/// A filter that passes half of its input mispredicts every other record if it branches, so records that need no drop
/// are copied whether they pass or not. If `keep` panics, `records` is left with fewer records, maybe none.
#[inline(always)]
pub(super) fn retain<T: 'static>(records: &mut Vec<T>, mut keep: impl FnMut(&T) -> bool) {
    if mem::needs_drop::<T>() {
        return retain_by_swaps(records, keep);
    }
    let (start, len) = (records.as_mut_ptr(), records.len());
    let mut kept = 0;
    // SAFETY: the first `len` records are initialised and `kept <= at < len`. They are out of the vector meanwhile;
    // if `keep` panics they are forgotten, which is right for what needs no drop.
    unsafe {
        records.set_len(0);
        for at in 0..len {
            let pass = keep(&*start.add(at));
            ptr::copy(start.add(at), start.add(kept), 1);
            kept += usize::from(pass);
        }
        records.set_len(kept);
    }
}

/// Records that pass change places with those before them that do not, which are then dropped together.
#[inline(always)]
fn retain_by_swaps<T: 'static>(records: &mut Vec<T>, mut keep: impl FnMut(&T) -> bool) {
    let mut kept = 0;
    for at in 0..records.len() {
        if keep(&records[at]) {
            records.swap(kept, at);
            kept += 1;
        }
    }
    truncate(records, kept);
}

/// Drops the records from `len` on. Texts go faster together; the types are compared at compile time.
#[inline(always)]
pub(super) fn truncate<T: 'static>(records: &mut Vec<T>, len: usize) {
    match (records as &mut dyn Any).downcast_mut::<Vec<Text>>() {
        Some(texts) => Text::truncate(texts, len),
        None => records.truncate(len),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_vec_retain(records: Vec<u16>, limit: u16) {
            let (mut ours, mut expected) = (records.clone(), records);
            retain(&mut ours, |record| *record < limit);
            expected.retain(|record| *record < limit);
            prop_assert_eq!(ours, expected);
        }

        #[test]
        fn equals_vec_retain_with_drops(records: Vec<String>) {
            let (mut ours, mut expected) = (records.clone(), records);
            retain(&mut ours, |record| record.len() % 2 == 0);
            expected.retain(|record| record.len() % 2 == 0);
            prop_assert_eq!(ours, expected);
        }
    }

    #[test]
    fn records_without_size_are_counted() {
        let mut records = vec![(); 10];
        let mut seen = 0;
        retain(&mut records, |()| {
            seen += 1;
            seen % 3 == 0
        });
        assert_eq!(records.len(), 3);
    }

    #[test]
    fn a_panic_leaves_a_usable_vector() {
        let mut numbers = vec![1, 2, 3];
        catch_unwind(AssertUnwindSafe(|| retain(&mut numbers, |n| *n < 2 || panic!("two")))).unwrap_err();
        assert_eq!(numbers, []);

        let alive = Rc::new(());
        let mut counted = vec![alive.clone(), alive.clone(), alive.clone()];
        let mut seen = 0;
        let keep = |_: &Rc<()>| {
            seen += 1;
            assert!(seen < 2, "the second one fails");
            false
        };
        catch_unwind(AssertUnwindSafe(|| retain(&mut counted, keep))).unwrap_err();
        drop(counted);
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}
