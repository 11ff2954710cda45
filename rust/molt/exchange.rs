// SPDX-License-Identifier: GPL-2.0

//! The exchange: moves every instance of one class to a twin, or leaves all as they were.

use core::ffi::c_void;
use core::ptr::NonNull;

use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::class::Class;
use crate::error::REASON_LEN;
use crate::helpers::{molt_object_alloc, molt_object_free};
use crate::implementation::Registered;
use crate::object::{state_pointer, Header, Memory};
use crate::text::Text;
use crate::transfer::Table;
use crate::transition::Attempt;

/// Memory for a prepared value; none where its type has no size.
struct Place(Option<NonNull<c_void>>);

// SAFETY: Plain memory, used by the updater only.
unsafe impl Send for Place {}

impl Place {
    fn new(table: &Table) -> Result<Self> {
        if table.prepared_size == 0 {
            return Ok(Self(None));
        }
        // SAFETY: Always safe to call.
        let memory = unsafe { molt_object_alloc(table.prepared_size, table.prepared_align) };
        Ok(Self(Some(NonNull::new(memory).ok_or(ENOMEM)?)))
    }

    /// Where the value goes; well aligned and not null for a type without size, too.
    fn pointer(&self, table: &Table) -> *mut () {
        match self.0 {
            Some(memory) => memory.as_ptr().cast(),
            None => core::ptr::without_provenance_mut(table.prepared_align),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(memory) = self.0 {
            // SAFETY: Allocated in `new`.
            unsafe { molt_object_free(memory.as_ptr()) }
        }
    }
}

/// The object that an instance gets, and after the commit the one that it had.
struct Twin {
    memory: Memory,
    prepared: Place,
}

/// What a transition does with the instances of its class.
///
/// # Invariants
///
/// * The first `prepared` twins hold a prepared value, made from the first slots of the
///   class in the order of its lists.
/// * Once `moved` is not zero, that many twins hold an old object.
pub(crate) struct Exchange {
    class: Arc<Class>,
    from: Arc<Registered>,
    to: Arc<Registered>,
    table: &'static Table,
    twins: KVVec<Twin>,
    prepared: usize,
    moved: usize,
}

impl Exchange {
    pub(crate) fn new(
        class: Arc<Class>,
        from: Arc<Registered>,
        to: Arc<Registered>,
        table: &'static Table,
    ) -> Self {
        Self {
            class,
            from,
            to,
            table,
            twins: KVVec::new(),
            prepared: 0,
            moved: 0,
        }
    }

    /// How many instances were moved.
    pub(crate) fn moved(&self) -> usize {
        self.moved
    }

    /// Allocates twins until there are as many as instances. The gate is open; may sleep.
    pub(crate) fn provide(&mut self) -> Result {
        while !self.is_provided() {
            let state = &self.to.descriptor().state;
            let twin = Twin {
                memory: Memory::new(state.size, state.align)?,
                prepared: Place::new(self.table)?,
            };
            self.twins.push(twin, GFP_KERNEL)?;
        }
        Ok(())
    }

    pub(crate) fn is_provided(&self) -> bool {
        usize::try_from(self.class.instances()).is_ok_and(|n| n <= self.twins.len())
    }

    /// Runs the fallible part for every instance. The class is quiescent.
    pub(crate) fn prepare(&mut self, attempt: &Attempt) -> Result {
        // SAFETY: The attempt has claimed the class, and this thread drives it.
        let slots = unsafe { self.class.lists().quiescent() };
        for (slot, twin) in slots.zip(&self.twins) {
            attempt.check()?;
            let old = state_pointer(slot.object(), &self.from);
            // SAFETY: The table fits the state (`transfer::find`); calls are out.
            unsafe { (self.table.prepare)(old, twin.prepared.pointer(self.table))? };
            self.prepared += 1;
        }
        Ok(())
    }

    /// Which instance was refused, after `prepare` has failed.
    pub(crate) fn describe_failure(&self) -> Text<REASON_LEN> {
        Text::format(fmt!(
            "the transfer to {} refused instance {} of {}",
            self.to.label(),
            self.prepared + 1,
            self.class.instances()
        ))
    }

    /// Takes back what `prepare` made.
    pub(crate) fn undo(&mut self) {
        for twin in self.twins.iter().take(self.prepared) {
            // SAFETY: By the type invariant there is a value, and nobody else takes it.
            unsafe { (self.table.undo)(twin.prepared.pointer(self.table)) };
        }
        self.prepared = 0;
    }

    /// Moves every instance and makes the new implementation the one that creations use.
    pub(crate) fn commit(&mut self, attempt: &Attempt) {
        let stamp = self.class.gate().open_stamp().wrapping_add(1);
        // SAFETY: As in `prepare`.
        let slots = unsafe { self.class.lists().quiescent() };
        for (slot, twin) in slots.zip(self.twins.iter_mut().take(self.prepared)) {
            attempt.moving(Some(&slot.stamp));
            let old = slot.object();
            let new = twin.memory.header();
            // SAFETY: The old state and the prepared value are this thread's; the twin is
            // memory for a header and the new state.
            unsafe {
                new.write(Header {
                    operations: self.to.descriptor().operations,
                    implementation: &raw const *self.to,
                });
                (self.table.commit)(
                    state_pointer(old, &self.from),
                    twin.prepared.pointer(self.table),
                    twin.memory.state(&self.to),
                );
            }
            if let Some(old) = NonNull::new(old) {
                // SAFETY: The slot gives its object away and gets the twin's memory.
                let twin_memory = unsafe { Memory::from_raw(old) };
                slot.set_object(core::mem::replace(&mut twin.memory, twin_memory).into_raw());
            }
            slot.stamp.store(stamp, kernel::sync::atomic::Release);
            self.moved += 1;
        }
        attempt.moving(None);
        self.prepared = 0;
        self.class.gate().advance(stamp);
        self.class.set_factory(&self.to);
        self.class.next_generation();
    }

    /// Drops the old objects by their own implementation's code and frees all memory.
    pub(crate) fn reclaim(&mut self) {
        for twin in self.twins.iter().take(self.moved) {
            let drop_old = self.table.drop_rest.unwrap_or(self.from.descriptor().drop);
            // SAFETY: By the type invariant this is an old object, which nobody can reach:
            // its slot's stamp was never valid together with it since.
            unsafe { drop_old(twin.memory.state(&self.from)) };
        }
        self.twins.clear();
    }
}
