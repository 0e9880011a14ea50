//! The bytes in which keyed state outlives the process: a *piece* is a run of [`StateItem`]s, each of which a later one of
//! the same key overrides. The changes of a batch are such pieces, and so is a snapshot.
//!
//! ```text
//! piece = 1 version:u32 item*        version: of the values, see `migrate_state`
//! item  = 0 key                      the key has no state any more
//!       | 1 key state
//!       | 2 key state timeout:i64 timer:i64
//!       | 3 time:i64                 the values behind it entered a window with that batch
//!       | 4 key value                in the order in which they entered
//!       | 5 key total                stays, though no value of it is in the window
//! ```
//! Numbers are little-endian; keys, states, values and totals are MessagePack with field names.

use super::clock::Clock;
use crate::time::Time;
use crate::{Error, ErrorKind, Result, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The layout above.
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 5;
/// A piece ends with the item by which it has so many bytes.
const PIECE_BYTES: usize = 1 << 20;
/// No longer item can be stored.
const ITEM_BYTES_MAX: usize = 32 << 20;

const REMOVED: u8 = 0;
const ENTRY: u8 = 1;
const TIMED: u8 = 2;
const BATCH: u8 = 3;
const VALUE: u8 = 4;
const LEFT: u8 = 5;

/// What a piece of stored state says. `K` and `V` are the types that the program has now, or any that read the bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StateItem<K, V> {
    /// The key has no state.
    Removed(K),
    /// The key has that state.
    Entry {
        /// The key.
        key: K,
        /// Its state.
        state: V,
        /// When it times out, if it does.
        timeout: Option<Time>,
        /// When the timer that the program set fires, if there is one.
        timer: Option<Time>,
    },
    /// The values behind it entered a window with this batch.
    Batch(Time),
    /// A value that entered a window.
    Value(K, V),
    /// A key of which no value is in the window, and what its aggregate is then.
    Left(K, V),
}

impl StateItem<&[u8], &[u8]> {
    /// The item by these types; an error says what they cannot read. See [`StateItems::next_encoded`].
    pub fn decode<K: DeserializeOwned, V: DeserializeOwned>(self) -> Result<StateItem<K, V>> {
        let key = |mut bytes: &[u8]| codec::read(&mut bytes).map_err(|error| error.within("a key"));
        let value = |mut bytes: &[u8]| codec::read(&mut bytes);
        Ok(match self {
            StateItem::Removed(of) => StateItem::Removed(key(of)?),
            StateItem::Entry { key: of, state, timeout, timer } => {
                StateItem::Entry { key: key(of)?, state: value(state)?, timeout, timer }
            }
            StateItem::Batch(time) => StateItem::Batch(time),
            StateItem::Value(of, entered) => StateItem::Value(key(of)?, value(entered)?),
            StateItem::Left(of, total) => StateItem::Left(key(of)?, value(total)?),
        })
    }
}

/// Reads the items of a piece.
///
/// ```
/// use headwater::state::StateItems;
/// let piece = [1, 0, 0, 0, 0, /* removed */ 0, 7];
/// let mut items = StateItems::new(&piece)?;
/// assert_eq!(format!("{:?}", items.next_item::<u64, u64>()?), "Some(Removed(7))");
/// assert_eq!(items.next_item::<u64, u64>()?, None);
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct StateItems<'a> {
    version: u32,
    rest: &'a [u8],
}

impl<'a> StateItems<'a> {
    /// The items of `piece`; an error if a newer release wrote it.
    pub fn new(piece: &'a [u8]) -> Result<StateItems<'a>> {
        match piece.split_first_chunk::<HEADER_BYTES>() {
            Some(([FORMAT, version @ ..], rest)) => Ok(StateItems { version: u32::from_le_bytes(*version), rest }),
            Some(([format, ..], _)) => Err(Error::program(format!(
                "state was written in format {format} and this release reads format {FORMAT}: use the release that wrote \
                 it, or a newer one"
            ))),
            None => Err(cut_short()),
        }
    }
    /// Which version of the program's state type the values are of: how many `migrate_state` there were.
    ///
    /// ```
    /// assert_eq!(headwater::state::StateItems::new(&[1, 2, 0, 0, 0])?.version(), 2);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn version(&self) -> u32 {
        self.version
    }
    /// The next item; none at the end. What its types cannot read is an error that says why.
    pub fn next_item<K: DeserializeOwned, V: DeserializeOwned>(&mut self) -> Result<Option<StateItem<K, V>>> {
        self.next_by(codec::read, codec::read)
    }
    /// The next item, with keys and values as they are stored: for who does not know the program's types.
    ///
    /// ```
    /// use headwater::state::{StateItem, StateItems};
    /// let piece = [1, 0, 0, 0, 0, /* an entry */ 1, 7, /* "ab" */ 0xa2, b'a', b'b'];
    /// let item = StateItems::new(&piece)?.next_encoded()?.unwrap();
    /// assert!(matches!(item, StateItem::Entry { key: [7], state: [0xa2, b'a', b'b'], .. }));
    /// let StateItem::Entry { key, state, .. } = item.decode::<u64, String>()? else { unreachable!() };
    /// assert_eq!((key, state.as_str()), (7, "ab"));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn next_encoded(&mut self) -> Result<Option<StateItem<&'a [u8], &'a [u8]>>> {
        self.next_by(codec::skip, codec::skip)
    }
    fn next_by<K, V>(
        &mut self,
        key: impl Fn(&mut &'a [u8]) -> Result<K>,
        value: impl Fn(&mut &'a [u8]) -> Result<V>,
    ) -> Result<Option<StateItem<K, V>>> {
        let Some((tag, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        if *tag == BATCH {
            return Ok(Some(StateItem::Batch(self.time()?)));
        }
        let key = key(&mut self.rest).map_err(|error| error.within("a key"))?;
        if *tag == REMOVED {
            return Ok(Some(StateItem::Removed(key)));
        }
        let value = value(&mut self.rest)?;
        Ok(Some(match *tag {
            ENTRY => StateItem::Entry { key, state: value, timeout: None, timer: None },
            TIMED => {
                let deadline = |time: Time| (time != Clock::NEVER).then_some(time);
                let (timeout, timer) = (deadline(self.time()?), deadline(self.time()?));
                StateItem::Entry { key, state: value, timeout, timer }
            }
            VALUE => StateItem::Value(key, value),
            LEFT => StateItem::Left(key, value),
            other => {
                return Err(Error::new(ErrorKind::Data, format!("stored state has an item of unknown kind {other}")));
            }
        }))
    }
    fn time(&mut self) -> Result<Time> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(Time::from_millis(i64::from_le_bytes(*bytes)))
    }
}

fn cut_short() -> Error {
    Error::new(ErrorKind::Data, "a piece of stored state ends in the middle of an item")
}

/// Makes pieces of items.
pub(crate) struct PieceWriter {
    version: u32,
    open: Vec<u8>,
    done: Vec<Vec<u8>>,
}

impl PieceWriter {
    /// Of values of that version.
    pub(super) fn new(version: u32) -> PieceWriter {
        PieceWriter { version, open: Vec::new(), done: Vec::new() }
    }
    pub(super) fn removed<K: Serialize + 'static>(&mut self, key: &K) -> Result<()> {
        self.begin(REMOVED);
        codec::write(key, &mut self.open)?;
        self.end()
    }
    #[inline]
    pub(super) fn entry<K: Serialize + 'static, V: Serialize + 'static>(
        &mut self,
        key: &K,
        state: &V,
        (timeout, timer): (Time, Time),
    ) -> Result<()> {
        let is_timed = timeout.min(timer) != Clock::NEVER;
        self.begin(if is_timed { TIMED } else { ENTRY });
        codec::write(key, &mut self.open)?;
        codec::write(state, &mut self.open)?;
        if is_timed {
            self.time(timeout);
            self.time(timer);
        }
        self.end()
    }
    /// A piece begins with the batch of its values, so that pieces may be read one by one.
    pub(super) fn batch(&mut self, time: Time) {
        self.begin(BATCH);
        self.time(time);
    }
    pub(super) fn value<K: Serialize + 'static, V: Serialize + 'static>(
        &mut self,
        batch: Time,
        key: &K,
        value: &V,
    ) -> Result<()> {
        if self.open.is_empty() {
            self.batch(batch);
        }
        self.pair(VALUE, key, value)
    }
    pub(super) fn left<K: Serialize + 'static, V: Serialize + 'static>(&mut self, key: &K, total: &V) -> Result<()> {
        self.pair(LEFT, key, total)
    }
    fn pair<K: Serialize + 'static, V: Serialize + 'static>(&mut self, tag: u8, key: &K, value: &V) -> Result<()> {
        self.begin(tag);
        codec::write(key, &mut self.open)?;
        codec::write(value, &mut self.open)?;
        self.end()
    }
    #[inline]
    fn begin(&mut self, tag: u8) {
        if self.open.is_empty() {
            self.open.push(FORMAT);
            self.open.extend_from_slice(&self.version.to_le_bytes());
        }
        self.open.push(tag);
    }
    fn time(&mut self, time: Time) {
        self.open.extend_from_slice(&time.milliseconds().to_le_bytes());
    }
    #[inline]
    fn end(&mut self) -> Result<()> {
        let bytes = self.open.len();
        if bytes > ITEM_BYTES_MAX {
            self.open.clear();
            let message =
                format!("a key and its state have {bytes} bytes; durable state may have {ITEM_BYTES_MAX} a key");
            return Err(Error::new(ErrorKind::Resources, message));
        }
        if bytes >= PIECE_BYTES {
            // Where there was so much, there is likely more.
            let next = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 16);
            self.done.push(std::mem::replace(&mut self.open, next));
        }
        Ok(())
    }
    /// Forgets all of it.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.done.clear();
    }
    /// The pieces that are as long as a piece may be.
    pub(super) fn whole(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.done)
    }
    /// The pieces so far; the writer begins anew.
    pub(super) fn take(&mut self) -> Vec<Vec<u8>> {
        let mut pieces = std::mem::take(&mut self.done);
        if !self.open.is_empty() {
            // The next batch will have about as much.
            let next = Vec::with_capacity(self.open.len() + self.open.len() / 8);
            pieces.push(std::mem::replace(&mut self.open, next));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let at = Time::from_millis;
        let mut writer = PieceWriter::new(3);
        writer.removed(&"a").unwrap();
        writer.entry(&"b", &1u32, (Clock::NEVER, Clock::NEVER)).unwrap();
        writer.entry(&"c", &2u32, (at(5), Clock::NEVER)).unwrap();
        writer.batch(at(9));
        writer.value(at(9), &"d", &3u32).unwrap();
        writer.left(&"e", &0u32).unwrap();
        let pieces = writer.take();
        assert!(writer.take().is_empty());
        let mut items = StateItems::new(&pieces[0]).unwrap();
        assert_eq!((pieces.len(), items.version()), (1, 3));
        let read: Vec<_> = std::iter::from_fn(|| items.next_item::<String, u64>().unwrap()).collect();
        let entry = |key: &str, state, timeout| StateItem::Entry { key: key.to_owned(), state, timeout, timer: None };
        let written = [
            StateItem::Removed("a".to_owned()),
            entry("b", 1, None),
            entry("c", 2, Some(at(5))),
            StateItem::Batch(at(9)),
            StateItem::Value("d".to_owned(), 3),
            StateItem::Left("e".to_owned(), 0),
        ];
        assert_eq!(read, written);
    }

    #[test]
    fn large_changes_are_cut_into_pieces_that_stand_alone() {
        let (mut writer, batch) = (PieceWriter::new(0), Time::from_millis(7));
        (0..300u32).for_each(|n| writer.value(batch, &n, &"x".repeat(10_000)).unwrap());
        let pieces = writer.take();
        assert_eq!(pieces.len(), 3);
        for piece in &pieces {
            let first = StateItems::new(piece).unwrap().next_item::<u32, String>().unwrap();
            assert_eq!(first, Some(StateItem::Batch(batch)));
        }
    }

    #[test]
    fn a_state_that_no_log_can_take_is_an_error_of_its_batch() {
        let (mut writer, never) = (PieceWriter::new(0), (Clock::NEVER, Clock::NEVER));
        let error = writer.entry(&1, &"x".repeat(ITEM_BYTES_MAX), never).unwrap_err();
        assert!(error.kind() == ErrorKind::Resources && error.to_string().contains("33554432"), "{error}");
        writer.entry(&1, &"x", never).unwrap();
        assert_eq!(writer.take().len(), 1);
    }

    #[test]
    fn newer_formats_and_cut_pieces_are_errors() {
        let newer = StateItems::new(&[2, 0, 0, 0, 0]).err().unwrap().to_string();
        assert!(newer.contains("format 2"), "{newer}");
        assert!(StateItems::new(&[1, 0]).is_err());
        assert!(StateItems::new(&[1, 0, 0, 0, 0, BATCH, 1]).unwrap().next_item::<u8, u8>().is_err());
        assert!(StateItems::new(&[1, 0, 0, 0, 0, 9, 1, 1]).unwrap().next_item::<u8, u8>().is_err());
    }
}
