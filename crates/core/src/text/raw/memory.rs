//! The memory of a block: one allocation of a header, the text's bytes and zeroed padding. It is filled by one
//! owner, then shared and counted, and at the end of its last reference goes back to its pool or to the allocator.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::text::pool::Shelf;

/// Zeroed bytes behind the text: a 64-byte load that starts inside the text, or at its end, stays inside the
/// allocation and reads initialised memory.
pub(super) const PADDING: usize = 64;
/// A length and an offset have 31 bits in a [`Text`](super::Text).
pub(in crate::text) const MAX_BYTES: usize = (1 << 31) - 1;

#[repr(C, align(16))]
pub(super) struct Header {
    /// Texts and blocks that look at this memory; 1 while it is a [`Memory`].
    references: AtomicUsize,
    /// Bytes between the header and the padding; written once, at allocation.
    capacity: usize,
    /// The pool that takes the memory back; never alive for memory without a pool.
    home: Weak<Shelf>,
}

const DATA: usize = size_of::<Header>();

fn layout(capacity: usize) -> Layout {
    assert!(capacity <= MAX_BYTES, "a text or block holds less than 2 GiB, got {capacity} bytes");
    Layout::from_size_align(DATA + capacity + PADDING, align_of::<Header>()).expect("2 GiB is below isize::MAX")
}

/// Memory with one owner, all of it initialised.
pub(in crate::text) struct Memory(NonNull<Header>);

// SAFETY: a `Memory` is the only way to its allocation, as a `Box<[u8]>` is; the header's parts are Send and Sync.
unsafe impl Send for Memory {}
// SAFETY: as above, and `&Memory` only reads.
unsafe impl Sync for Memory {}

impl Memory {
    /// Fresh memory for blocks of a pool.
    pub(in crate::text) fn zeroed(capacity: usize, home: Weak<Shelf>) -> Memory {
        let layout = layout(capacity);
        // SAFETY: the layout is not empty: the header has a size.
        let start = unsafe { alloc_zeroed(layout) };
        // SAFETY: allocated by the layout above; all bytes are zero, so initialised.
        unsafe { Memory::with_header(start, layout, capacity, home) }
    }

    /// Memory of its own for a copy of `bytes`, without room for more.
    pub(in crate::text) fn copy_of(bytes: &[u8]) -> Memory {
        let layout = layout(bytes.len());
        // SAFETY: the layout is not empty: the header has a size.
        let start = unsafe { alloc(layout) };
        // SAFETY: allocated by the layout above; the bytes and the padding are written before anyone reads them.
        unsafe {
            let memory = Memory::with_header(start, layout, bytes.len(), Weak::new());
            ptr::copy_nonoverlapping(bytes.as_ptr(), start.add(DATA), bytes.len());
            ptr::write_bytes(start.add(DATA + bytes.len()), 0, PADDING);
            memory
        }
    }

    /// # Safety
    /// `start` is null or was allocated by `layout(capacity)`, and no one else owns it. The caller initialises the
    /// bytes behind the header.
    unsafe fn with_header(start: *mut u8, layout: Layout, capacity: usize, home: Weak<Shelf>) -> Memory {
        let Some(header) = NonNull::new(start.cast::<Header>()) else { handle_alloc_error(layout) };
        // SAFETY: the allocation begins with room for a header, aligned for it.
        unsafe { header.write(Header { references: AtomicUsize::new(1), capacity, home }) };
        Memory(header)
    }

    pub(in crate::text) fn capacity(&self) -> usize {
        Owner(self.0).capacity()
    }

    pub(in crate::text) fn bytes(&self) -> &[u8] {
        // SAFETY: the capacity's bytes are initialised and ours alone while `self` is borrowed.
        unsafe { slice::from_raw_parts(Owner(self.0).data(), self.capacity()) }
    }

    pub(in crate::text) fn bytes_mut(&mut self) -> &mut [u8] {
        let data = Owner(self.0).data().cast_mut();
        // SAFETY: as for `bytes`; `&mut self` makes the borrow exclusive, and the pointer comes from the allocation.
        unsafe { slice::from_raw_parts_mut(data, self.capacity()) }
    }

    /// Goes back to the pool, or to the allocator if there is none or it has enough.
    pub(in crate::text) fn end(self) {
        // SAFETY: `self` is the only way to the memory, so the header does not change during the look.
        let home = unsafe { (*self.0.as_ptr()).home.upgrade() };
        match home {
            Some(shelf) => shelf.put_back(self),
            None => drop(self),
        }
    }

    /// Ends the exclusive time. The one reference is the caller's, who releases it once.
    pub(super) fn share(self) -> Owner {
        let owner = Owner(self.0);
        std::mem::forget(self);
        owner
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let layout = layout(self.capacity());
        // SAFETY: the only owner ends here; the layout is the one of the allocation, for the capacity never changes.
        unsafe {
            ptr::drop_in_place(self.0.as_ptr());
            dealloc(self.0.as_ptr().cast(), layout);
        }
    }
}

/// The address of shared memory. It carries no reference by itself: whoever stores one accounts for it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Owner(NonNull<Header>);

impl Owner {
    /// Where the text's bytes begin.
    #[inline(always)]
    pub(super) fn data(self) -> *const u8 {
        // SAFETY: the allocation is longer than its header.
        unsafe { self.0.as_ptr().cast_const().cast::<u8>().add(DATA) }
    }

    pub(super) fn capacity(self) -> usize {
        // SAFETY: an `Owner` is used only while its user holds a reference; the capacity is never written again.
        unsafe { (*self.0.as_ptr()).capacity }
    }

    pub(super) fn is_pooled(self) -> bool {
        // SAFETY: as above; a home is written once, and an empty `Weak` is known by its null count.
        unsafe { !(*self.0.as_ptr()).home.ptr_eq(&Weak::new()) }
    }

    /// # Safety
    /// The caller holds a reference, or one that was not given back yet.
    #[inline(always)]
    unsafe fn references<'a>(self) -> &'a AtomicUsize {
        // SAFETY: the caller's reference keeps the header alive.
        unsafe { &(*self.0.as_ptr()).references }
    }

    #[cfg(test)]
    pub(super) fn count(self) -> usize {
        // SAFETY: tests ask while they hold a text of this memory.
        unsafe { self.references().load(Ordering::Relaxed) }
    }

    /// # Safety
    /// The caller holds a reference. It gives each of the `count` new ones back once.
    #[inline(always)]
    pub(super) unsafe fn retain(self, count: usize) {
        // SAFETY: the caller's. Relaxed as in `Arc`: a new reference is made from one that is already visible here.
        unsafe { self.references() }.fetch_add(count, Ordering::Relaxed);
    }

    /// # Safety
    /// The caller holds more than `count` references and uses `count` of them no more.
    #[inline(always)]
    pub(super) unsafe fn give_back(self, count: usize) {
        // SAFETY: the caller's. At least one reference is left, so nothing is freed.
        unsafe { self.references() }.fetch_sub(count, Ordering::Release);
    }

    /// # Safety
    /// The caller holds `count` references, at least one, and does not use them again.
    #[inline(always)]
    pub(super) unsafe fn release(self, count: usize) {
        // SAFETY: the caller's. Release: our reads come before the memory's next use.
        if unsafe { self.references() }.fetch_sub(count, Ordering::Release) == count {
            // SAFETY: those were the last references.
            unsafe { self.end() }
        }
    }

    /// # Safety
    /// The last reference was given back, by this thread.
    #[cold]
    #[inline(never)]
    unsafe fn end(self) {
        // Acquire: the reads of all other threads come before what follows, be it a free or a refill.
        fence(Ordering::Acquire);
        let memory = Memory(self.0);
        // SAFETY: no other thread knows the memory any more.
        unsafe { self.references() }.store(1, Ordering::Relaxed);
        memory.end();
    }
}
