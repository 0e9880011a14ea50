//! Splits input among threads the plain way: one equal share each, no queue, no second look.

/// Runs `work` on each share in a thread of its own; results come in the order of the shares. One share needs no thread.
pub(crate) fn each<S: Send, R: Send>(shares: Vec<S>, work: impl Fn(S) -> R + Sync) -> Vec<R> {
    if shares.len() == 1 {
        return shares.into_iter().map(work).collect();
    }
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || work(share))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the loops do not panic")).collect()
    })
}

/// At most `count` shares of records, of equal size but for the last.
pub(crate) fn of_records<T>(records: &[T], count: usize) -> Vec<&[T]> {
    records.chunks(records.len().div_ceil(count).max(1)).collect()
}

/// At most `count` shares of a text, each but the last ending behind a newline.
pub(crate) fn of_lines(text: &[u8], count: usize) -> Vec<&[u8]> {
    let (size, mut rest, mut shares) = (text.len() / count, text, Vec::new());
    while shares.len() + 1 < count && rest.len() > size {
        let Some(newline) = memchr::memchr(b'\n', &rest[size..]) else { break };
        let (share, behind) = rest.split_at(size + newline + 1);
        shares.push(share);
        rest = behind;
    }
    shares.push(rest);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_behind_newlines_and_lose_nothing() {
        let text = b"one\ntwo\nthree\nfour\nfive\nsix";
        for count in 1..8 {
            let shares = of_lines(text, count);
            assert!(shares.len() <= count);
            assert_eq!(shares.concat(), text);
            assert!(shares[..shares.len() - 1].iter().all(|share| share.ends_with(b"\n")));
        }
        assert_eq!(of_lines(b"", 3).concat(), b"");
        assert_eq!(of_records(&[1, 2, 3, 4, 5], 2), [[1, 2, 3].as_slice(), &[4, 5]]);
    }

    #[test]
    fn results_keep_their_order() {
        assert_eq!(each(vec![1, 2, 3], |share| share * 10), [10, 20, 30]);
    }
}
