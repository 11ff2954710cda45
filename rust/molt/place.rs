// SPDX-License-Identifier: GPL-2.0

//! Places: memory for the values that the fallible part of a transfer prepares.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use kernel::error::code::ENOMEM;
use kernel::prelude::*;

use crate::helpers::{molt_object_alloc, molt_object_free};
use crate::object::aligned_size;
use crate::route::Route;
use crate::transfer::Table;

/// Memory for a prepared value, and the table whose value is in it.
pub(crate) struct Place {
    memory: Option<NonNull<c_void>>,
    made_by: Option<&'static Table>,
}

// SAFETY: Plain memory, used by one thread at a time.
unsafe impl Send for Place {}
// SAFETY: As above.
unsafe impl Sync for Place {}

impl Place {
    pub(crate) fn new((size, align): (usize, usize)) -> Result<Self> {
        let memory = match size {
            0 => None,
            size => {
                let size = aligned_size(size, align).ok_or(ENOMEM)?;
                // SAFETY: Always safe to call.
                Some(NonNull::new(unsafe { molt_object_alloc(size) }).ok_or(ENOMEM)?)
            }
        };
        Ok(Self {
            memory,
            made_by: None,
        })
    }

    /// For what has nothing prepared.
    pub(crate) fn none() -> Self {
        Self {
            memory: None,
            made_by: None,
        }
    }

    /// Where the value of `table` goes; well aligned and not null for a type without size, too.
    fn pointer(&self, table: &Table) -> *mut () {
        match self.memory {
            Some(memory) => memory.as_ptr().cast(),
            None => ptr::without_provenance_mut(table.prepared_align),
        }
    }

    /// Makes the value of `old`.
    ///
    /// # Safety
    ///
    /// `old` is a state that `route` leads from, and no call is in it.
    pub(crate) unsafe fn prepare(&mut self, route: &Route, old: *mut ()) -> Result {
        let Some(table) = route.table() else {
            return Ok(());
        };
        // SAFETY: The table fits the state; the place is large enough for each table.
        unsafe { (table.prepare)(old, self.pointer(table))? };
        self.made_by = Some(table);
        Ok(())
    }

    /// The value, given away; for a transfer that prepares nothing, any pointer does.
    pub(crate) fn take(&mut self) -> *mut () {
        match self.made_by.take() {
            Some(table) => self.pointer(table),
            None => ptr::without_provenance_mut(1 << 12),
        }
    }

    pub(crate) fn undo(&mut self) {
        if let Some(table) = self.made_by.take() {
            // SAFETY: There is a value, and nobody else takes it.
            unsafe { (table.undo)(self.pointer(table)) };
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(memory) = self.memory {
            // SAFETY: Allocated in `new`.
            unsafe { molt_object_free(memory.as_ptr()) }
        }
    }
}
