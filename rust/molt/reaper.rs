// SPDX-License-Identifier: GPL-2.0

//! The reaper: ends instances whose last handle was dropped.
//!
//! The last drop may happen in an interrupt, under a spinlock, or in a method of the very
//! class: so it only queues the slot. A worker of `molt.ko` then ends the instance, as a
//! top-level call of its class, with no frame of the implementation's module below it.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use kernel::bindings;
use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};
use kernel::sync::Arc;
use kernel::types::Opaque;

use crate::helpers::{
    molt_work_flush, molt_work_init, molt_work_queue, molt_workqueue_destroy, molt_workqueue_new,
};
use crate::object::state_pointer;
use crate::primitives::{current, moving, warn_trespass};
use crate::registry::framework;
use crate::slot::{Slot, Unlisted};

/// The queue of dead slots and the work item that empties it.
pub(crate) struct Reaper {
    dead: Atomic<*mut Slot>,
    work: KBox<Opaque<bindings::work_struct>>,
    queue: NonNull<c_void>,
}

// SAFETY: Work items and queues are made for sharing.
unsafe impl Send for Reaper {}
// SAFETY: As above.
unsafe impl Sync for Reaper {}

impl Reaper {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let work = KBox::new(Opaque::zeroed(), GFP_KERNEL)?;
        // SAFETY: The item lies on the heap and stays there.
        unsafe { molt_work_init(work.get(), reap) };
        // SAFETY: Always safe to call.
        let queue = NonNull::new(unsafe { molt_workqueue_new(c"molt".as_char_ptr()) }.cast())
            .ok_or(ENOMEM)?;
        Ok(Self {
            dead: Atomic::new(ptr::null_mut()),
            work,
            queue,
        })
    }

    /// Queues a work item of `molt.ko`. Any context.
    pub(crate) fn queue(&self, work: *mut bindings::work_struct) {
        // SAFETY: The queue is there for as long as the framework; queuing does not sleep.
        unsafe { molt_work_queue(self.queue.as_ptr().cast(), work) }
    }

    /// Waits until all that was queued before has ended. Sleeps.
    pub(crate) fn flush(&self) {
        // SAFETY: Initialised in `new`.
        unsafe { molt_work_flush(self.work.get()) }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // SAFETY: Clients are gone, so nobody queues; this drains the queue.
        unsafe { molt_workqueue_destroy(self.queue.as_ptr().cast()) }
    }
}

/// Queues an instance that has no handle any more. Any context.
pub(crate) fn bury(slot: NonNull<Slot>) {
    let reaper = &framework().reaper;
    let mut first = reaper.dead.load(Relaxed);
    loop {
        // SAFETY: With its last handle gone the slot is the reaper's.
        unsafe { Slot::set_next_dead(slot.as_ptr(), first) };
        match reaper.dead.cmpxchg(first, slot.as_ptr(), Full) {
            Ok(_) => break,
            Err(seen) => first = seen,
        }
    }
    reaper.queue(reaper.work.get());
}

/// # Safety
///
/// Run by the work item of the framework's reaper only.
unsafe extern "C" fn reap(_work: *mut bindings::work_struct) {
    let mut next = framework().reaper.dead.xchg(ptr::null_mut(), Full);
    while let Some(slot) = NonNull::new(next) {
        // SAFETY: Queued slots are the reaper's alone.
        unsafe {
            next = slot.as_ref().next_dead();
            end(slot);
        }
    }
}

/// Ends one instance on behalf of the caller. Where that is a rule, lists are being walked, and the
/// instance ends later; a transition that can still fail ends with `EDEADLK`. May sleep.
///
/// # Safety
///
/// As for [`end`].
pub(crate) unsafe fn end_now(place: NonNull<Slot>) {
    if !moving().is_null() {
        // Nothing can be taken back any more.
        warn_trespass();
        return bury(place);
    }
    let task = current();
    let attempt = framework().records.bucket(task).attempt_of(task);
    match attempt {
        Some(attempt) => {
            // SAFETY: Who drives it is below on this very stack.
            unsafe { (*attempt).note_trespass() };
            bury(place);
        }
        // SAFETY: By the caller's promise.
        None => unsafe { end(place) },
    }
}

/// Ends one instance. The call is over, and with it every use of the implementation's text,
/// before the slot's memory goes. May sleep.
///
/// # Safety
///
/// The caller owns the slot, which has no handle any more.
pub(crate) unsafe fn end(place: NonNull<Slot>) {
    // SAFETY: The slot stays alive to the end of this function.
    let slot = unsafe { place.as_ref() };
    // The call's own last steps are in the gate, and then there may be no instance left.
    let class = Arc::from(slot.class());
    slot.gate().call_end(slot, &mut || {
        // Inside a call of the class; nobody else calls a slot without handles.
        let Some(object) = NonNull::new(slot.object()) else {
            return;
        };
        slot.holder().count(-1);
        // SAFETY: The object is valid, and its instance pins its implementation. The state is
        // whole, and dropped once.
        unsafe {
            let implementation = &*object.as_ref().implementation;
            let state = state_pointer(object.as_ptr(), implementation);
            (implementation.descriptor().closed)(state);
            (implementation.descriptor().drop)(state);
            class.unlist(place.as_ptr(), implementation);
        }
    });
    // SAFETY: Unlisted, and without handles.
    drop(unsafe { Unlisted::from_raw(place) });
}
