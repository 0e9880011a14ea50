//! [`SharedBuffer`]: where a writer that wants to own what it writes to leaves its bytes, to be fetched behind each record.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

#[derive(Clone, Default)]
pub(super) struct SharedBuffer(Rc<RefCell<Vec<u8>>>);

impl SharedBuffer {
    /// Moves all bytes to the end of `out`.
    pub(super) fn move_to(&self, out: &mut Vec<u8>) {
        out.append(&mut self.0.borrow_mut());
    }
}

impl io::Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
