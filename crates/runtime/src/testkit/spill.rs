//! Scratch tables of a test: in memory, counted, and failing when told to.

use crate::env::spill::{check_record, first_page, is_empty};
use headwater_core::env::{SpillSpace, SpillTable};
use headwater_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What of a [`MemorySpill`] fails, until it is told otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpillFault {
    /// Nothing.
    None,
    /// No table can be opened.
    Open,
    /// No table can be read.
    Read,
    /// So many more changes are written, in whichever tables, and no other.
    WriteAfter(usize),
}

/// Spilled state of a test, in memory. A test makes it fail, and sees whether anything was spilled.
///
/// ```
/// use headwater::env::{SpillSpace, SpillTable};
/// use headwater::testkit::{SpillFault, TestEnv};
/// let test = TestEnv::new();
/// let mut table = test.env().spill.open(None, "counts")?;
/// test.spill.set(SpillFault::WriteAfter(1));
/// let changes = [(b"a".to_vec(), Some(b"1".to_vec())), (b"b".to_vec(), Some(b"2".to_vec()))];
/// assert!(table.write(&mut changes.into_iter()).is_err());
/// assert_eq!((test.spill.tables(), test.spill.records()), (1, 1));
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Default)]
pub struct MemorySpill {
    state: Arc<Mutex<State>>,
}

struct State {
    fault: SpillFault,
    tables: usize,
    records: usize,
}
impl Default for State {
    fn default() -> Self {
        State { fault: SpillFault::None, tables: 0, records: 0 }
    }
}
impl State {
    fn fail_if(&self, fails: bool, what: &str, name: &str) -> Result<()> {
        let message = || format!("cannot {what} the table {name} of state on disk: the test says so");
        if fails { Err(Error::new(ErrorKind::Outside, message())) } else { Ok(()) }
    }
    fn before_read(&self, name: &str) -> Result<()> {
        self.fail_if(self.fault == SpillFault::Read, "read", name)
    }
    fn before_change(&mut self, name: &str) -> Result<()> {
        self.fail_if(self.fault == SpillFault::WriteAfter(0), "write", name)?;
        if let SpillFault::WriteAfter(left) = &mut self.fault {
            *left -= 1;
        }
        Ok(())
    }
}

impl MemorySpill {
    /// From here on this fails.
    pub fn set(&self, fault: SpillFault) {
        lock(&self.state).fault = fault;
    }
    /// Tables that are open.
    pub fn tables(&self) -> usize {
        lock(&self.state).tables
    }
    /// Records that are in those.
    pub fn records(&self) -> usize {
        lock(&self.state).records
    }
}

impl SpillSpace for MemorySpill {
    fn open(&self, _local_dir: Option<&str>, name: &str) -> Result<Box<dyn SpillTable>> {
        let mut state = lock(&self.state);
        state.fail_if(state.fault == SpillFault::Open, "make", name)?;
        state.tables += 1;
        Ok(Box::new(MemoryTable { name: name.to_owned(), records: BTreeMap::new(), state: self.state.clone() }))
    }
}

struct MemoryTable {
    name: String,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The space's.
    state: Arc<Mutex<State>>,
}

impl SpillTable for MemoryTable {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        lock(&self.state).before_read(&self.name)?;
        Ok(self.records.get(key).cloned())
    }
    fn write(&mut self, changes: &mut dyn Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) -> Result<()> {
        for (key, value) in changes {
            check_record(&self.name, &key, value.as_deref())?;
            let mut state = lock(&self.state);
            state.before_change(&self.name)?;
            let before = self.records.len();
            match value {
                Some(value) => self.records.insert(key, value),
                None => self.records.remove(&key),
            };
            state.records = state.records + self.records.len() - before;
        }
        Ok(())
    }
    fn page(&self, range: (Bound<&[u8]>, Bound<&[u8]>), limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        lock(&self.state).before_read(&self.name)?;
        if is_empty(range) {
            return Ok(Vec::new());
        }
        let records = self.records.range::<[u8], _>(range);
        first_page(records.map(|(key, value)| Ok((key.clone(), value.clone()))), limit)
    }
    fn bytes_on_disk(&self) -> u64 {
        self.records.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()
    }
}
impl Drop for MemoryTable {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.tables -= 1;
        state.records -= self.records.len();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
