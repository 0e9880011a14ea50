//! [`Layer`]: changes to what is on disk, in memory while they are few. The lowest layer is what they change.

use crate::Result;
use crate::env::SpillTable;
use crate::state::memory::Room;
use crate::time::Time;
use std::collections::BTreeMap;
use std::ops::Bound;

/// What a record of a layer is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Id {
    /// The entries whose keys have that hash.
    Entries(u64),
    /// That the first deadline of those entries is that.
    Deadline(Time, u64),
}

/// Their names in tables, where bytes are in the order of the ids.
const ENTRIES: u8 = b's';
const DEADLINE: u8 = b't';

impl Id {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Id::Entries(hash) => [&[ENTRIES][..], &hash.to_be_bytes()].concat(),
            Id::Deadline(time, hash) => {
                let time = (time.milliseconds() ^ i64::MIN).to_be_bytes();
                [&[DEADLINE][..], &time, &hash.to_be_bytes()].concat()
            }
        }
    }
    fn of_bytes(bytes: &[u8]) -> Id {
        let word = |at: usize| bytes[at..at + 8].try_into().expect("these are 8 bytes");
        match bytes[0] {
            ENTRIES => Id::Entries(u64::from_be_bytes(word(1))),
            _ => Id::Deadline(Time::from_millis(i64::from_be_bytes(word(1)) ^ i64::MIN), u64::from_be_bytes(word(9))),
        }
    }
}

/// A value is any bytes; it is empty where something was removed.
#[derive(Default)]
pub(super) struct Layer {
    /// These are newer than what the table has.
    changes: BTreeMap<Id, Vec<u8>>,
    /// What those take.
    bytes: usize,
    table: Option<Box<dyn SpillTable>>,
}

/// Records of a table that are read at once.
const PAGE: usize = 1024;

impl Layer {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.table.is_none()
    }
    /// Bytes of the changes in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes
    }
    pub(super) fn disk_bytes(&self) -> u64 {
        self.table.as_ref().map_or(0, |table| table.bytes_on_disk())
    }
    /// What this layer says about `id`, if anything.
    pub(super) fn get(&self, id: Id) -> Result<Option<Vec<u8>>> {
        match (self.changes.get(&id), &self.table) {
            (Some(value), _) => Ok(Some(value.clone())),
            (None, Some(table)) => table.get(&id.to_bytes()),
            (None, None) => Ok(None),
        }
    }
    pub(super) fn put(&mut self, id: Id, value: Vec<u8>, room: &Room) -> Result<()> {
        let record = size_of::<(Id, Vec<u8>)>();
        self.bytes += record + value.len();
        if let Some(old) = self.changes.insert(id, value) {
            self.bytes -= record + old.len();
        }
        if self.bytes > room.changes_bytes() { self.flush(room) } else { Ok(()) }
    }
    /// Writes the changes to the table. They stay in memory as long as that has not succeeded.
    pub(super) fn flush(&mut self, room: &Room) -> Result<()> {
        let table = opened(&mut self.table, room)?;
        table.write(&mut self.changes.iter().map(|(id, value)| (id.to_bytes(), Some(value.clone()))))?;
        (self.changes, self.bytes) = Default::default();
        Ok(())
    }
    /// Takes over what `newer` changes in this, the lowest layer. After an error some of it was taken over, and `newer`
    /// must stay above it.
    pub(super) fn absorb(&mut self, newer: &mut Layer, room: &Room) -> Result<()> {
        let change = |(id, value): (Vec<u8>, Vec<u8>)| (id, Some(value).filter(|value| !value.is_empty()));
        if self.table.is_none() {
            self.table = newer.table.take();
        }
        if let Some(from) = &newer.table {
            let (to, mut last) = (opened(&mut self.table, room)?, None::<Vec<u8>>);
            loop {
                let page =
                    from.page((last.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded), PAGE)?;
                let Some((id, _)) = page.last() else { break };
                last = Some(id.clone());
                to.write(&mut page.into_iter().map(change))?;
            }
        }
        if !newer.changes.is_empty() {
            let changes = newer.changes.iter().map(|(id, value)| change((id.to_bytes(), value.clone())));
            opened(&mut self.table, room)?.write(&mut { changes })?;
        }
        Ok(())
    }
    /// Adds to `found` up to `most` records each of the table and of the changes, in the range; before where more may
    /// follow, if they do.
    pub(super) fn page(
        &self,
        (from, to): (Bound<Id>, Id),
        most: usize,
        found: &mut BTreeMap<Id, Vec<u8>>,
    ) -> Result<Option<Id>> {
        let mut end = None;
        if let Some(table) = &self.table {
            let (from, to) = (from.map(Id::to_bytes), to.to_bytes());
            let page = table.page((from.as_ref().map(|id| &id[..]), Bound::Included(&to)), most)?;
            end = page.last().map(|(id, _)| Id::of_bytes(id));
            found.extend(page.into_iter().map(|(id, value)| (Id::of_bytes(&id), value)));
        }
        let to = end.unwrap_or(to);
        if !is_empty((from, to)) {
            let mut changes = self.changes.range((from, Bound::Included(to)));
            let mut last = None;
            for (id, value) in changes.by_ref().take(most) {
                found.insert(*id, value.clone());
                last = Some(*id);
            }
            if changes.next().is_some() {
                end = earlier(end, last);
            }
        }
        Ok(end)
    }
}

/// Ranges of the standard library must not be empty.
fn is_empty((from, to): (Bound<Id>, Id)) -> bool {
    match from {
        Bound::Included(from) => from > to,
        Bound::Excluded(from) => from >= to,
        Bound::Unbounded => false,
    }
}

/// The earlier of two ends, none being later than all.
pub(super) fn earlier(left: Option<Id>, right: Option<Id>) -> Option<Id> {
    [left, right].into_iter().flatten().min()
}

fn opened<'a>(table: &'a mut Option<Box<dyn SpillTable>>, room: &Room) -> Result<&'a mut Box<dyn SpillTable>> {
    if table.is_none() {
        *table = Some(room.open()?);
    }
    Ok(table.as_mut().expect("it was opened just now"))
}
