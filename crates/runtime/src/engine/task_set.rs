//! [`Pool`]: a fixed number of threads that work off the tasks of stages. The submitting thread works too, so that a
//! small stage ends without waking anybody.

use crossbeam_channel::{Sender, bounded};
use headwater_core::Result;
use headwater_core::env::{Spawner, Thread};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Calls for help that wait for a busy helper at most; at the limit a submitter does its tasks without.
const QUEUED_MAX: usize = 1024;

type Run = Arc<dyn Fn(usize) + Send + Sync>;

/// The tasks of one stage, taken one by one.
struct TaskSet {
    count: usize,
    next: AtomicUsize,
    left: AtomicUsize,
    /// Taken out by the submitter when all is done, so that a helper that looks at the set late holds nothing of it.
    run: Mutex<Option<Run>>,
    done: Mutex<bool>,
    wake: Condvar,
}

impl TaskSet {
    fn work(&self) {
        let mut number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.count {
            return;
        }
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let run = run.expect("the submitter waits for the tasks that are taken");
        let mut ended = 0;
        while number < self.count {
            run(number);
            ended += 1;
            number = self.next.fetch_add(1, Ordering::Relaxed);
        }
        // Before the count: what the stage holds, the user's closures too, shall end on the submitter's thread.
        drop(run);
        if self.left.fetch_sub(ended, Ordering::AcqRel) == ended {
            *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.wake.notify_all();
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
    /// `None` once the pool is shut down. What is queued of a stage that has ended is empty.
    submit: Option<Sender<Arc<TaskSet>>>,
    threads: Vec<Box<dyn Thread>>,
}

impl Pool {
    /// `threads` is at least 1 and counts the thread that calls [`Pool::run`].
    pub(super) fn new(threads: usize, spawner: &dyn Spawner) -> Result<Pool> {
        let (submit, tasks) = bounded::<Arc<TaskSet>>(QUEUED_MAX);
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

    /// Whether so many tasks would wake nobody: then the caller may as well run them itself.
    pub(super) fn works_alone(&self, count: usize) -> bool {
        count <= 1 || self.threads == 1
    }

    /// Calls `run` with every number below `count`, which must not panic, and returns when all calls are done.
    pub(super) fn run(&self, count: usize, run: impl Fn(usize) + Send + Sync + 'static) {
        let (next, left) = (AtomicUsize::new(0), AtomicUsize::new(count));
        let run: Run = Arc::new(run);
        let (done, wake) = (Mutex::new(false), Condvar::new());
        let set = Arc::new(TaskSet { count, next, left, run: Mutex::new(Some(run)), done, wake });
        if let Some(submit) = &self.helpers().submit {
            for _ in 1..self.threads.min(count) {
                // Without a helper to take it the submitter does all tasks itself.
                let _taken = submit.try_send(set.clone());
            }
        }
        set.work();
        set.wait();
        let _ended = set.run.lock().unwrap_or_else(PoisonError::into_inner).take();
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
