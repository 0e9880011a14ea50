//! [`Sender`]: numbers in order, from 0 on, to whoever connects; what is not acknowledged is sent again.

use crate::programs::RATE;
use headwater::receiver::reliable::Outbox;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a connection looks for more to send.
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) struct Sender {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
    pub(crate) port: u16,
}
struct Shared {
    outbox: Mutex<(Outbox, u64)>,
    /// No more numbers are made.
    is_full: AtomicBool,
    ends: AtomicBool,
}

impl Sender {
    pub(crate) fn start() -> Result<Sender, String> {
        let failed = |error: std::io::Error| format!("the sender cannot listen: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let outbox = Outbox::new(b"kill-test").map_err(|error| error.to_string())?;
        let (is_full, ends) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { outbox: Mutex::new((outbox, 0)), is_full, ends });
        let of_thread = shared.clone();
        Ok(Sender { shared, thread: std::thread::spawn(move || of_thread.serve(&listener)), port })
    }
    /// Makes no more numbers, and waits until all are acknowledged; how many there were.
    pub(crate) fn end(self, patience: Duration) -> Result<u64, String> {
        self.shared.is_full.store(true, Ordering::SeqCst);
        let since = Instant::now();
        while self.shared.lock().0.unacknowledged() > 0 {
            if since.elapsed() > patience {
                return Err(format!("{} numbers are not acknowledged", self.shared.lock().0.unacknowledged()));
            }
            std::thread::sleep(PAUSE);
        }
        self.shared.ends.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| "the sender panicked".to_owned())?;
        Ok(self.shared.lock().1)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Outbox, u64)> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn serve(&self, listener: &TcpListener) {
        let mut due = Instant::now();
        while !self.ends.load(Ordering::SeqCst) {
            if let Ok((connection, _)) = listener.accept() {
                self.lock().0.connected();
                // It ends with the application that is killed.
                let _ended = self.talk(connection, &mut due);
            }
            due = due.max(Instant::now());
            std::thread::sleep(PAUSE);
        }
    }
    fn talk(&self, mut connection: TcpStream, due: &mut Instant) -> std::io::Result<()> {
        connection.set_nonblocking(false)?;
        connection.set_read_timeout(Some(PAUSE))?;
        let mut bytes = [0; 4096];
        while !self.ends.load(Ordering::SeqCst) {
            self.make(due);
            let more = self.lock().0.to_send();
            connection.write_all(&more)?;
            match connection.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    let taken = self.lock().0.take_in(&bytes[..count]);
                    taken.map_err(|error| std::io::Error::other(error.to_string()))?;
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
    /// The numbers that are due by now.
    fn make(&self, due: &mut Instant) {
        while *due <= Instant::now() && !self.is_full.load(Ordering::SeqCst) {
            let mut outbox = self.lock();
            let number = outbox.1.to_string();
            if outbox.0.push(number.as_bytes()).is_err() {
                // So many are not acknowledged that no more are made.
                return;
            }
            outbox.1 += 1;
            *due += Duration::from_secs(1) / RATE as u32;
        }
    }
}
