//! [`Pool`]: a fixed number of threads that work off the tasks of stages. The submitting thread works too, so that a
//! small stage ends without waking anybody.

use crossbeam_channel::{Sender, unbounded};
use headwater_core::Result;
use headwater_core::env::{Spawner, Thread};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The tasks of one stage, taken one by one.
struct TaskSet {
    count: usize,
    next: AtomicUsize,
    left: AtomicUsize,
    run: Box<dyn Fn(usize) + Send + Sync>,
    done: Mutex<bool>,
    wake: Condvar,
}

impl TaskSet {
    fn work(&self) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count {
                return;
            }
            (self.run)(number);
            if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
                self.wake.notify_all();
            }
        }
    }
    fn wait(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done {
            done = self.wake.wait(done).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The threads. Dropping it joins them.
pub(super) struct Pool {
    threads: usize,
    helpers: Mutex<Helpers>,
}
struct Helpers {
    /// `None` once the pool is shut down. The queue holds at most `threads - 1` entries per running stage.
    submit: Option<Sender<Arc<TaskSet>>>,
    threads: Vec<Box<dyn Thread>>,
}

impl Pool {
    /// `threads` is at least 1 and counts the thread that calls [`Pool::run`].
    pub(super) fn new(threads: usize, spawner: &dyn Spawner) -> Result<Pool> {
        let (submit, tasks) = unbounded::<Arc<TaskSet>>();
        let helpers = (1..threads).map(|number| {
            let tasks = tasks.clone();
            spawner.spawn(&format!("task-{number}"), Box::new(move || tasks.iter().for_each(|set| set.work())))
        });
        let helpers = helpers.collect::<Result<Vec<_>>>()?;
        Ok(Pool { threads, helpers: Mutex::new(Helpers { submit: Some(submit), threads: helpers }) })
    }
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `run` with every number below `count`, which must not panic, and returns when all calls are done.
    pub(super) fn run(&self, count: usize, run: impl Fn(usize) + Send + Sync + 'static) {
        if count <= 1 || self.threads == 1 {
            return (0..count).for_each(run);
        }
        let (next, left) = (AtomicUsize::new(0), AtomicUsize::new(count));
        let set = TaskSet { count, next, left, run: Box::new(run), done: Mutex::new(false), wake: Condvar::new() };
        let set = Arc::new(set);
        if let Some(submit) = &self.helpers().submit {
            for _ in 1..self.threads.min(count) {
                submit.send(set.clone()).expect("the helpers live until the sender is gone");
            }
        }
        set.work();
        set.wait();
    }

    /// Ends the helpers when their tasks are done. What runs after that runs on the submitting thread alone.
    pub(super) fn shut_down(&self) {
        let threads = {
            let mut helpers = self.helpers();
            helpers.submit = None;
            std::mem::take(&mut helpers.threads)
        };
        threads.into_iter().for_each(Thread::join);
    }
    fn helpers(&self) -> MutexGuard<'_, Helpers> {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shut_down();
    }
}
