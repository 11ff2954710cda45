// SPDX-License-Identifier: GPL-2.0

//! Objects: one implementation's representation of an instance.
//!
//! An object is a header and, behind it, the state. Its memory belongs to `molt.ko`, which
//! allocates and frees it; what is in the state belongs to the implementation, whose code
//! makes it and drops it.

use core::ptr::NonNull;

use kernel::error::code::ENOMEM;
use kernel::prelude::*;

use crate::helpers::{molt_object_alloc, molt_object_free};
use crate::implementation::Registered;
use crate::transfer::End;

/// What lies before each state.
#[repr(C)]
pub struct Header {
    /// The table of functions, in the rodata of the implementation's module. That module is
    /// pinned for as long as an instance is served by it.
    pub(crate) operations: *const (),
    pub(crate) implementation: *const Registered,
}

/// Where a state of this alignment begins in its object, in bytes.
pub const fn state_offset(align: usize) -> usize {
    // Alignments are powers of two.
    (size_of::<Header>() + align - 1) & !(align - 1)
}

/// Bytes to allocate for an object with this state; `None`: there is no such number.
pub(crate) fn object_size(state: &End) -> Option<usize> {
    aligned_size(
        state_offset(state.align).checked_add(state.size)?,
        state.align,
    )
}

/// Bytes to allocate for memory of this size and alignment.
pub(crate) fn aligned_size(size: usize, align: usize) -> Option<usize> {
    if align <= align_of::<Header>() {
        return Some(size);
    }
    // Sizes of a power of two are aligned to themselves by kmalloc().
    size.max(align).checked_next_power_of_two()
}

/// The state of an object.
///
/// # Safety
///
/// `object` holds a state of type `T`, and a call on it is running.
#[inline(always)]
pub unsafe fn state<'a, T>(object: *const Header) -> &'a T {
    // A constant: this is on the path of every call.
    let offset = const { state_offset(align_of::<T>()) };
    // SAFETY: By the caller's promise the state is there; it lies behind the header, at the
    // offset that the allocation used.
    unsafe { &*object.byte_add(offset).cast::<T>() }
}

/// Where the state of `object`, which is one of `implementation`, lies.
pub(crate) fn state_pointer(object: *mut Header, implementation: &Registered) -> *mut () {
    object
        .wrapping_byte_add(implementation.state_offset())
        .cast()
}

/// The memory of one object.
///
/// # Invariants
///
/// Owns the allocation. Whether there is a state in it is the business of its holder.
pub(crate) struct Memory(NonNull<Header>);

// SAFETY: Plain memory; the state in it is `Send` by `Implementation`'s bound.
unsafe impl Send for Memory {}
// SAFETY: As above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Zeroed memory for an object of this size ([`object_size`]). May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(size: usize) -> Result<Self> {
        // SAFETY: Always safe to call.
        let memory = unsafe { molt_object_alloc(size) };
        NonNull::new(memory.cast()).map(Self).ok_or(ENOMEM)
    }

    /// Makes it an object of `implementation` with no state yet. Its size is one of those.
    pub(crate) fn set_header(&self, implementation: &Registered) {
        let header = Header {
            operations: implementation.descriptor().operations,
            implementation,
        };
        // SAFETY: By the type invariant, and each object is at least a header long.
        unsafe { self.header().write(header) }
    }

    pub(crate) fn header(&self) -> *mut Header {
        self.0.as_ptr()
    }

    /// Where the state of an object of `implementation` lies.
    pub(crate) fn state(&self, implementation: &Registered) -> *mut () {
        state_pointer(self.header(), implementation)
    }

    /// Gives up ownership.
    pub(crate) fn into_raw(self) -> *mut Header {
        core::mem::ManuallyDrop::new(self).header()
    }

    /// # Safety
    ///
    /// `header` came from [`Memory::into_raw`] and nobody else owns it.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { molt_object_free(self.0.as_ptr().cast()) }
    }
}
