// SPDX-License-Identifier: GPL-2.0

//! Places: memory for the values that the fallible part of a transfer prepares.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use kernel::error::code::ENOMEM;
use kernel::prelude::*;

use crate::helpers::{molt_object_alloc, molt_object_free};
use crate::moves::{Prepared, Refused};
use crate::object::aligned_size;
use crate::route::{Route, Way};
use crate::testing::{fault, Site};
use crate::transfer::Table;

/// Memory for a prepared value, and what is in it.
pub(crate) struct Place {
    memory: Option<NonNull<c_void>>,
    content: Content,
}

/// What is in a place.
#[derive(Clone, Copy)]
enum Content {
    Nothing,
    /// A value of this table.
    Value(&'static Table),
    /// A [`Prepared`].
    Rooms,
}

/// What stands for a value that was not prepared: well aligned for a type without a size.
pub(crate) const NOTHING: *mut () = ptr::without_provenance_mut(1 << 12);

/// The rooms that a place gave away, if there are any.
///
/// # Safety
///
/// `place` is what [`Place::take`] gave for moves, or [`NOTHING`].
pub(crate) unsafe fn prepared(place: *mut ()) -> Option<Prepared> {
    // SAFETY: By the caller's promise.
    (place != NOTHING).then(|| unsafe { place.cast::<Prepared>().read() })
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
                fault(Site::Place)?;
                let size = aligned_size(size, align).ok_or(ENOMEM)?;
                // SAFETY: Always safe to call.
                Some(NonNull::new(unsafe { molt_object_alloc(size) }).ok_or(ENOMEM)?)
            }
        };
        Ok(Self {
            memory,
            content: Content::Nothing,
        })
    }

    /// For what has nothing prepared.
    pub(crate) fn none() -> Self {
        Self {
            memory: None,
            content: Content::Nothing,
        }
    }

    /// Where the value of `table` goes; well aligned and not null for a type without size, too.
    fn pointer(&self, table: &Table) -> *mut () {
        match self.memory {
            Some(memory) => memory.as_ptr().cast(),
            None => ptr::without_provenance_mut(table.prepared_align),
        }
    }

    /// Makes what can fail for `old`.
    ///
    /// # Safety
    ///
    /// `old` is a state that `route` leads from, and no call is in it.
    pub(crate) unsafe fn prepare(&mut self, route: &Route, old: *mut ()) -> Result<(), Refused> {
        match &route.way {
            Way::Transfer(table) => {
                // SAFETY: The table fits the state; the place is large enough for each table.
                unsafe { (table.prepare)(old, self.pointer(table))? };
                self.content = Content::Value(table);
            }
            Way::Moves(chain) => {
                let moves = chain.first();
                // SAFETY: The moves fit the state.
                unsafe { moves.check(old)? };
                if moves.prepares() {
                    let memory = self.memory.ok_or(ENOMEM)?;
                    // SAFETY: As above; the place is large enough.
                    unsafe { memory.cast::<Prepared>().write(moves.prepare(old)?) };
                    self.content = Content::Rooms;
                }
            }
            Way::Stay | Way::Repair(_) => {}
        }
        Ok(())
    }

    /// The value, given away; for a transfer that prepares nothing, any pointer does.
    pub(crate) fn take(&mut self) -> *mut () {
        match core::mem::replace(&mut self.content, Content::Nothing) {
            Content::Value(table) => self.pointer(table),
            Content::Rooms => self.memory.map_or(NOTHING, |memory| memory.as_ptr().cast()),
            Content::Nothing => NOTHING,
        }
    }

    pub(crate) fn undo(&mut self) {
        match core::mem::replace(&mut self.content, Content::Nothing) {
            // SAFETY: There is a value, and nobody else takes it.
            Content::Value(table) => unsafe { (table.undo)(self.pointer(table)) },
            Content::Rooms => {
                if let Some(memory) = self.memory {
                    // SAFETY: As above.
                    unsafe { memory.cast::<Prepared>().drop_in_place() };
                }
            }
            Content::Nothing => {}
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
