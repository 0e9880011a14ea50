//! [`LookUpStream`]: the operator on a stream.

use super::LookUp;
use super::cache::Cache;
use super::io::Io;
use super::requests::Requests;
use headwater_core::env::Env;
use headwater_core::{Closure, DStream, Error, Key, Record, Result};
use rapidhash::fast::RapidHashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// [`look_up`](LookUpStream::look_up), for every stream.
pub trait LookUpStream<T: Record> {
    /// Puts beside each record the value of its key, as `look_up` finds it, or none where there is none. Records keep their
    /// order and partitions. A partition asks once for each of its keys. In memory: a partition and its answers per task, and
    /// the cache.
    ///
    /// A batch that is computed again, because a task failed or the process did, asks again, and may be answered in another
    /// way. Where later operators must not see that, `persist` the stream, or look up only what does not change.
    ///
    /// [`LookUp`] has an example.
    #[track_caller]
    fn look_up<K: Key, V: Record + Clone>(
        &self,
        key: impl Fn(&T) -> K + Closure,
        look_up: LookUp<K, V>,
    ) -> DStream<(T, Option<V>)>;
}

impl<T: Record> LookUpStream<T> for DStream<T> {
    #[track_caller]
    fn look_up<K: Key, V: Record + Clone>(
        &self,
        key: impl Fn(&T) -> K + Closure,
        look_up: LookUp<K, V>,
    ) -> DStream<(T, Option<V>)> {
        let operator = Operator::new(look_up, self.context().env().clone());
        self.try_map_partitions(move |records| {
            let records: Vec<T> = records.collect();
            let answers = operator.answers(records.iter().map(&key))?;
            let answers = answers.into_iter().map(|answer| Option::clone(&answer));
            Ok::<_, Error>(records.into_iter().zip(answers).collect::<Vec<_>>())
        })
    }
}

/// What the tasks of a process share.
struct Operator<K, V> {
    look_up: LookUp<K, V>,
    env: Env,
    cache: Mutex<Option<Cache<K, V>>>,
    /// From the first request on.
    io: Mutex<Option<Arc<Io>>>,
}

impl<K: Key, V: Record + Clone> Operator<K, V> {
    fn new(look_up: LookUp<K, V>, env: Env) -> Operator<K, V> {
        let cache = look_up.cache.map(|(capacity, time_to_live)| Cache::new(capacity, time_to_live));
        Operator { look_up, env, cache: Mutex::new(cache), io: Mutex::new(None) }
    }

    /// The answer for each of the keys.
    fn answers(&self, keys: impl Iterator<Item = K>) -> Result<Vec<Arc<Option<V>>>> {
        if self.look_up.concurrency == 0 {
            return Err(Error::program("LookUp::concurrency(0): nothing could ever be asked; it is at least 1"));
        }
        // Each key once, in the order of their first records.
        let (mut different, mut places, mut of_record) = (Vec::new(), RapidHashMap::default(), Vec::new());
        for key in keys {
            of_record.push(match places.entry(key) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    different.push(entry.key().clone());
                    *entry.insert(different.len() - 1)
                }
            });
        }
        let mut found = self.remembered(&different);
        let missing: Vec<usize> = (0..different.len()).filter(|at| found[*at].is_none()).collect();
        if !missing.is_empty() {
            let asked: Vec<K> = missing.iter().map(|at| different[*at].clone()).collect();
            let answers = self.ask(&asked)?;
            missing.iter().zip(answers).for_each(|(at, answer)| found[*at] = Some(answer));
        }
        let answer = |at: usize| found[at].clone().expect("what was missing was asked for");
        Ok(of_record.into_iter().map(answer).collect())
    }

    fn remembered(&self, keys: &[K]) -> Vec<Option<Arc<Option<V>>>> {
        let now = self.env.clock.now();
        let mut cache = lock(&self.cache);
        keys.iter().map(|key| cache.as_mut().and_then(|cache| cache.get(key, now))).collect()
    }

    fn ask(&self, keys: &[K]) -> Result<Vec<Arc<Option<V>>>> {
        let io = self.io()?;
        let answered = Requests::new(&self.look_up, &self.env.clock, io.handle(), keys).run()?;
        if let Some((failed, error)) = answered.failed {
            let all = keys.len();
            self.env
                .console
                .warn(&format!("{failed} of {all} look-ups failed, and their records go on without: {error}"));
        }
        let answers: Vec<_> = answered.answers.into_iter().map(|answer| answer.map(Arc::new)).collect();
        let now = self.env.clock.now();
        let mut left = Vec::new();
        if let Some(cache) = &mut *lock(&self.cache) {
            // What failed is asked for again the next time.
            let pairs = keys.iter().zip(&answers).filter_map(|(key, answer)| Some((key, answer.as_ref()?)));
            left.extend(pairs.filter_map(|(key, answer)| cache.put(key.clone(), answer.clone(), now)));
        }
        drop(left);
        Ok(answers.into_iter().map(Option::unwrap_or_default).collect())
    }

    fn io(&self) -> Result<Arc<Io>> {
        let mut io = lock(&self.io);
        match &*io {
            Some(io) => Ok(io.clone()),
            None => Ok(io.insert(Arc::new(Io::start(&self.env)?)).clone()),
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
