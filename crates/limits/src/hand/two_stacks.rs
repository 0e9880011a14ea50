//! The aggregate of what is in a window, for a function that cannot be undone: two stacks, of which one holds what each
//! element and all younger ones in it come to.

/// One key's values in the window, oldest first, each with its batch: in front of `middle` what the element and those
/// behind it, up to `middle`, come to; behind it the values themselves.
#[derive(Default)]
pub(super) struct TwoStacks {
    elements: Vec<(u64, u64)>,
    /// Elements before it have left.
    head: u32,
    middle: u32,
    /// What the elements from `middle` on come to, if there are any.
    back: u64,
}

impl TwoStacks {
    /// A value of batch `now`; whether it is the batch's first.
    pub(super) fn push(&mut self, now: u64, value: u64, reduce: impl Fn(u64, u64) -> u64) -> bool {
        let none_behind = self.elements.len() == self.middle as usize;
        self.back = if none_behind { value } else { reduce(self.back, value) };
        match self.elements.last_mut() {
            Some((batch, last)) if !none_behind && *batch == now => {
                *last = reduce(*last, value);
                false
            }
            _ => {
                self.elements.push((now, value));
                true
            }
        }
    }

    /// The oldest element leaves.
    pub(super) fn pop(&mut self, reduce: impl Fn(u64, u64) -> u64) {
        if self.head == self.middle {
            self.elements.drain(..self.head as usize);
            for at in (0..self.elements.len().saturating_sub(1)).rev() {
                self.elements[at].1 = reduce(self.elements[at].1, self.elements[at + 1].1);
            }
            (self.head, self.middle) = (0, self.elements.len() as u32);
        }
        self.head += 1;
    }

    /// What the window comes to; none if it is empty.
    pub(super) fn total(&self, reduce: impl Fn(u64, u64) -> u64) -> Option<u64> {
        let front = (self.head < self.middle).then(|| self.elements[self.head as usize].1);
        let back = (self.elements.len() > self.middle as usize).then_some(self.back);
        match (front, back) {
            (Some(front), Some(back)) => Some(reduce(front, back)),
            (front, back) => front.or(back),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn it_comes_to_what_reducing_anew_does() {
        let product = |a: u64, b: u64| a * b % 1009;
        let mut random = crate::data::Random::new();
        let (mut stacks, mut window) = (TwoStacks::default(), VecDeque::new());
        for batch in 0..1000 {
            for _ in 0..random.below(3) {
                let value = 1 + random.below(1000);
                assert_eq!(stacks.push(batch, value, product), window.back().is_none_or(|(last, _)| *last != batch));
                window.push_back((batch, value));
            }
            while window.front().is_some_and(|(first, _)| *first + random.below(8) < batch) {
                let first = window[0].0;
                window.retain(|(batch, _)| *batch != first);
                stacks.pop(product);
            }
            assert_eq!(stacks.total(product), window.iter().map(|(_, value)| *value).reduce(product));
        }
    }
}
