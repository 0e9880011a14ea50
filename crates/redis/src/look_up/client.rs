//! [`Client`]: the one client of a process, made when it is needed first and again when a request to it has failed.

use super::{AnyError, own};
use headwater_core::Result;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Connecting<C> = Pin<Box<dyn Future<Output = Result<C>> + Send>>;

pub(super) struct Client<C> {
    connect: Box<dyn Fn() -> Connecting<C> + Send + Sync>,
    /// Who has it connects; the others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
    current: Mutex<Current<C>>,
}

struct Current<C> {
    client: Option<C>,
    /// How many there were, which tells one from the next.
    number: u64,
}

impl<C: Clone + Send + 'static> Client<C> {
    pub(super) fn new<F, E>(connect: impl Fn() -> F + Send + Sync + 'static) -> Client<C>
    where
        F: Future<Output = Result<C, E>> + Send + 'static,
        E: Into<AnyError>,
    {
        let connect = move || -> Connecting<C> {
            let connecting = connect();
            Box::pin(async {
                connecting.await.map_err(|error| own(error, "the client of a look-up could not be made"))
            })
        };
        let current = Mutex::new(Current { client: None, number: 0 });
        Client { connect: Box::new(connect), turn: tokio::sync::Mutex::new(()), current }
    }

    /// A clone of the client, which is thrown away unless it is said that it was sound: also where nobody waits for the
    /// answer any more.
    pub(super) async fn lend(&self) -> Result<Lent<'_, C>> {
        if let Some(lent) = self.lent() {
            return Ok(lent);
        }
        let _turn = self.turn.lock().await;
        if let Some(lent) = self.lent() {
            return Ok(lent);
        }
        let made = (self.connect)().await?;
        let mut current = self.lock();
        current.client = Some(made.clone());
        current.number += 1;
        Ok(Lent { of: self, client: made, number: current.number, sound: false })
    }
    fn lent(&self) -> Option<Lent<'_, C>> {
        let current = self.lock();
        let client = current.client.clone()?;
        Some(Lent { of: self, client, number: current.number, sound: false })
    }
    fn throw_away(&self, number: u64) {
        let mut current = self.lock();
        let thrown = if current.number == number { current.client.take() } else { None };
        // It is dropped behind the lock.
        drop(current);
        drop(thrown);
    }
}

impl<C> Client<C> {
    fn lock(&self) -> MutexGuard<'_, Current<C>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client in the hands of a request.
pub(super) struct Lent<'a, C: Clone + Send + 'static> {
    of: &'a Client<C>,
    client: C,
    number: u64,
    sound: bool,
}
impl<C: Clone + Send + 'static> Lent<'_, C> {
    pub(super) fn client(&self) -> C {
        self.client.clone()
    }
    pub(super) fn give_back(mut self) {
        self.sound = true;
    }
}
impl<C: Clone + Send + 'static> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        if !self.sound {
            self.of.throw_away(self.number);
        }
    }
}
