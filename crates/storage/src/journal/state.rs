//! What a journal keeps: [`JournalState`], changed by [`JournalEvent`]s alone.

use headwater_core::Result;

/// A state that events change.
pub trait JournalState: Sized {
    /// What changes it.
    type Event: JournalEvent;
    /// Changes the state. Depends on nothing but the state and the event: a recovery calls it again and must come to
    /// the same.
    fn apply(&mut self, event: &Self::Event);
    /// The whole state as bytes of a form and version of their own.
    fn snapshot(&self) -> Vec<u8>;
    /// The state of which [`snapshot`](JournalState::snapshot) made the bytes, perhaps in an earlier release. What is in
    /// them was not damaged; an error says that this release cannot read them, and ends the recovery.
    fn restore(bytes: &[u8]) -> Result<Self>;
}

/// A message in a journal, in a form and version of its own: what is written today is read by every later release.
pub trait JournalEvent: Sized {
    /// The event as bytes.
    fn encode(&self) -> Vec<u8>;
    /// The event of which [`encode`](JournalEvent::encode) made the bytes, perhaps in an earlier release.
    fn decode(bytes: &[u8]) -> Result<Self>;
}
