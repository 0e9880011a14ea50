//! [`Cache`]: answers of a while ago, up to a number of keys. It knows no clock: it is told the time.

use headwater_core::Key;
use headwater_core::time::Time;
use rapidhash::fast::RapidHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Cache<K, V> {
    capacity: usize,
    time_to_live: Duration,
    entries: RapidHashMap<K, Entry<V>>,
    /// Keys by when they were used, the longest ago first.
    used: BTreeMap<u64, K>,
    uses: u64,
}
struct Entry<V> {
    /// Shared, so that no record is copied under the lock that is around this.
    answer: Arc<Option<V>>,
    /// Good before this.
    expires: Time,
    use_number: u64,
}

impl<K: Key, V> Cache<K, V> {
    pub(super) fn new(capacity: usize, time_to_live: Duration) -> Cache<K, V> {
        Cache { capacity, time_to_live, entries: RapidHashMap::default(), used: BTreeMap::new(), uses: 0 }
    }
    pub(super) fn get(&mut self, key: &K, now: Time) -> Option<Arc<Option<V>>> {
        let entry = self.entries.get_mut(key).filter(|entry| now < entry.expires)?;
        let key = self.used.remove(&entry.use_number).expect("each entry has its use");
        self.uses += 1;
        entry.use_number = self.uses;
        self.used.insert(self.uses, key);
        Some(entry.answer.clone())
    }
    /// Returns what had to leave for it, for the caller to drop behind its lock.
    pub(super) fn put(&mut self, key: K, answer: Arc<Option<V>>, now: Time) -> Option<Arc<Option<V>>> {
        self.uses += 1;
        let entry = Entry { answer, expires: now + self.time_to_live, use_number: self.uses };
        self.used.insert(self.uses, key.clone());
        if let Some(before) = self.entries.insert(key, entry) {
            self.used.remove(&before.use_number);
            return Some(before.answer);
        }
        if self.entries.len() <= self.capacity {
            return None;
        }
        let (_, oldest) = self.used.pop_first()?;
        self.entries.remove(&oldest).map(|entry| entry.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(1000 * seconds)
    }
    fn has(cache: &mut Cache<u64, u64>, key: u64, now: Time) -> bool {
        cache.get(&key, now).is_some_and(|answer| *answer == Some(key))
    }

    #[test]
    fn an_answer_is_good_for_its_time_to_live() {
        let mut cache = Cache::new(2, Duration::from_secs(10));
        assert!(!has(&mut cache, 1, at(0)));
        cache.put(1, Arc::new(Some(1)), at(0));
        assert!(has(&mut cache, 1, at(9)) && !has(&mut cache, 1, at(10)));
        cache.put(1, Arc::new(Some(1)), at(10));
        assert!(has(&mut cache, 1, at(19)));
        assert_eq!((cache.entries.len(), cache.used.len()), (1, 1));
    }

    #[test]
    fn the_key_that_was_used_longest_ago_leaves() {
        let mut cache = Cache::new(2, Duration::from_secs(10));
        cache.put(1, Arc::new(Some(1)), at(0));
        cache.put(2, Arc::new(Some(2)), at(0));
        assert!(has(&mut cache, 1, at(0)));
        assert_eq!(*cache.put(3, Arc::new(Some(3)), at(0)).unwrap(), Some(2));
        assert!(has(&mut cache, 1, at(0)) && !has(&mut cache, 2, at(0)) && has(&mut cache, 3, at(0)));
        assert_eq!((cache.entries.len(), cache.used.len()), (2, 2));
    }

    #[test]
    fn a_cache_of_nothing_keeps_nothing() {
        let mut cache = Cache::new(0, Duration::from_secs(10));
        cache.put(1, Arc::new(Some(1)), at(0));
        assert_eq!((cache.entries.len(), cache.used.len()), (0, 0));
    }
}
