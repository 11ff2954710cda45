// SPDX-License-Identifier: GPL-2.0

//! Slots: the indirection cell of an instance.
//!
//! A slot lies in memory of `molt.ko`. Its first cache line is what a call reads and nobody
//! writes but a transition; counts and links are in the next one.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::atomic::{Acquire, Atomic, Full, Relaxed, Release};
use kernel::sync::{Arc, ArcBorrow, SpinLockIrq};

use crate::class::Class;
use crate::gate::Gate;
use crate::helpers::{molt_slot_alloc, molt_slot_free, molt_slots_destroy, molt_slots_init};
use crate::holder::Holder;
use crate::object::{Header, Memory};
use crate::place::NOTHING;
use crate::primitives::set_moving;

/// The cell of one instance.
///
/// # Invariants
///
/// * `gate` is the gate of `cold.class`, which cannot be removed while it has an instance, and
///   keeps its holders.
/// * `object` is valid wherever `stamp` is the gate's, in a recorded call, and under the lock
///   of `twin`. It is there before the slot is listed, and is replaced under that lock, by one
///   owner: so nobody moves an instance twice.
#[repr(C, align(64))]
pub(crate) struct Slot {
    gate: *const Gate,
    pub(crate) stamp: Atomic<u64>,
    object: Atomic<*mut Header>,
    twin: SpinLockIrq<Twin>,
    /// Which of the class's lists it is in.
    pub(crate) list: usize,
    key: Option<u64>,
    pub(crate) cold: Cold,
}

// A call touches the first line only, and an instance costs no more than two.
const _: () = assert!(size_of::<SpinLockIrq<Twin>>() > 16 || size_of::<Slot>() == 128);

/// The object that the instance is to get, if a transition needs one: memory with a header
/// and no state yet.
pub(crate) struct Twin(pub(crate) Option<Memory>);

/// What no call touches.
#[repr(align(64))]
pub(crate) struct Cold {
    /// Handles to this slot. At zero again the slot goes to the reaper.
    handles: Atomic<u64>,
    class: *const Class,
    holder: *const Holder,
    id: u64,
    /// In its list; under that one's lock.
    pub(crate) next: *mut Slot,
    pub(crate) previous: *mut Slot,
    next_dead: *mut Slot,
}

// SAFETY: Links are touched under the lock of their list, `next_dead` by the reaper only.
unsafe impl Send for Slot {}
// SAFETY: As above; everything else that changes is atomic or has a lock.
unsafe impl Sync for Slot {}

/// Marks the slot that this processor moves, for as long as it lives.
struct Moving(*const Slot);

impl Moving {
    fn new(slot: &Slot) -> Self {
        Self(set_moving(slot))
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        set_moving(self.0);
    }
}

/// Where slots come from; `molt.ko` has one.
///
/// The lock of a slot is made with its memory, and stays when that is freed and used again.
pub(crate) struct Cache(());

impl Cache {
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: `make` makes what lies in memory of this size and alignment.
        let is_there =
            unsafe { molt_slots_init(size_of::<Slot>() as u32, align_of::<Slot>() as u32, make) };
        is_there.then_some(Self(())).ok_or(ENOMEM)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // SAFETY: Clients are gone, and with them all slots.
        unsafe { molt_slots_destroy() }
    }
}

/// # Safety
///
/// `slot` is memory for a slot.
unsafe extern "C" fn make(slot: *mut c_void) {
    // SAFETY: By the caller's promise; it does not move.
    unsafe {
        pin_init::raw_init(
            &raw mut (*slot.cast::<Slot>()).twin,
            kernel::new_spinlock_irq!(Twin(None), "molt_slot"),
        );
    }
}

/// A slot that is in no list.
///
/// # Invariants
///
/// Owns the slot, which has no twin.
pub(crate) struct Unlisted(NonNull<Slot>);

impl Unlisted {
    /// Makes a slot with no handle, and with no object before [`Slot::begin`].
    ///
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    #[inline(always)]
    pub(crate) fn new(class: &Arc<Class>, holder: &Holder, key: Option<u64>) -> Result<Self> {
        // SAFETY: There is a cache while there is a class.
        let slot = NonNull::new(unsafe { molt_slot_alloc() }.cast::<Slot>()).ok_or(ENOMEM)?;
        let place = slot.as_ptr();
        // SAFETY: The memory is a slot's, and nobody else's; its lock was made by `make`.
        unsafe {
            (&raw mut (*place).gate).write(ptr::from_ref::<Gate>(class.gate()));
            (&raw mut (*place).key).write(key);
            (&raw mut (*place).cold).write(Cold {
                handles: Atomic::new(0),
                class: Arc::as_ptr(class),
                holder,
                id: class.next_id(),
                next: ptr::null_mut(),
                previous: ptr::null_mut(),
                next_dead: ptr::null_mut(),
            });
            // What frees in the lock is of sleepable classes; what is taken in interrupts, of
            // atomic ones.
            #[cfg(CONFIG_DEBUG_LOCK_ALLOC)]
            crate::helpers::molt_lock_classify(
                (&raw mut (*place).twin).cast(),
                class.gate().is_atomic(),
            );
        }
        Ok(Self(slot))
    }

    /// # Safety
    ///
    /// Nobody else owns the slot, and it has neither a list nor a twin.
    pub(crate) unsafe fn from_raw(slot: NonNull<Slot>) -> Self {
        Self(slot)
    }

    /// Gives up ownership.
    pub(crate) fn into_raw(self) -> NonNull<Slot> {
        core::mem::ManuallyDrop::new(self).0
    }

    pub(crate) fn as_ptr(&self) -> *mut Slot {
        self.0.as_ptr()
    }
}

impl Drop for Unlisted {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Without a twin nothing in the slot has a drop.
        unsafe { molt_slot_free(self.0.as_ptr().cast()) }
    }
}

impl Slot {
    /// Runs `body` with the twin, as the one owner of the instance. Interrupts are off in
    /// `body`, which must not sleep.
    pub(crate) fn own<R>(&self, body: impl FnOnce(&mut Twin) -> R) -> R {
        body(&mut self.twin.lock())
    }

    /// Moves the instance to its twin, if a commit has made its object outdated. Any context.
    #[cold]
    pub(crate) fn bring_up(&self) {
        self.own(|twin| {
            if !self.gate().is_stale(self.stamp.load(Relaxed)) {
                return;
            }
            // SAFETY: While a slot of the class is stale its exchange is there.
            if let Some(routes) = unsafe { self.class().routes().as_ref() } {
                // SAFETY: The slot's lock is held; nothing is prepared for what cannot fail.
                unsafe { self.carry(routes, twin, NOTHING) };
                routes.count_done();
            }
        });
    }

    /// Moves the instance, and makes its slot valid.
    ///
    /// # Safety
    ///
    /// The slot's lock is held, `twin` is its own, no call is in the object, and `prepared` is
    /// what `prepare` made of it, given away.
    pub(crate) unsafe fn carry(
        &self,
        routes: &crate::route::Routes,
        twin: &mut Twin,
        prepared: *mut (),
    ) {
        if let Some(memory) = twin.0.take() {
            let _moving = Moving::new(self);
            let (old, new) = (self.object(), memory.into_raw());
            // SAFETY: By the caller's promise both are this processor's alone.
            unsafe { routes.commit(self, old, prepared, new) };
            self.set_object(new);
        }
        // Release: whoever finds this stamp finds the object that was stored before it.
        self.stamp.store(routes.stamp(), Release);
    }

    pub(crate) fn key(&self) -> Option<u64> {
        self.key
    }

    /// Who made the instance.
    pub(crate) fn holder(&self) -> &Holder {
        // SAFETY: By the type invariant.
        unsafe { &*self.cold.holder }
    }

    /// The gate that a call through this slot passes.
    #[inline(always)]
    pub(crate) fn gate(&self) -> &Gate {
        // SAFETY: By the type invariant; the class, and so its gate, outlives the slot.
        unsafe { &*self.gate }
    }

    /// The object. Only from inside a call, or by the updater of a quiescent class.
    #[inline(always)]
    pub(crate) fn object(&self) -> *mut Header {
        // SAFETY: The word is valid. One load; what it points to was written before the
        // stamp that let this call in was stored.
        unsafe { self.object.as_ptr().read_volatile() }
    }

    /// Sets what a slot that nobody else has yet begins with.
    ///
    /// # Safety
    ///
    /// The caller owns `slot`, and runs a creation of its class.
    #[inline(always)]
    pub(crate) unsafe fn begin(slot: *mut Self, stamp: u64, object: *mut Header) {
        // SAFETY: By the caller's promise nobody else looks; a plain store does.
        unsafe {
            (&raw mut (*slot).stamp).write(Atomic::new(stamp));
            (&raw mut (*slot).object).write(Atomic::new(object));
        }
    }

    /// Gives the slot its first handle: the instance is whole.
    pub(crate) fn publish(&self) {
        // Release: whoever takes a handle finds the state.
        self.cold.handles.store(1, Release);
    }

    /// Replaces the object. The class is quiescent.
    pub(crate) fn set_object(&self, object: *mut Header) {
        // Release: an abandoned call that has not loaded its object yet loads this one, and
        // finds what is in there. All others have the order of the stamp.
        self.object.store(object, Release);
    }

    pub(crate) fn class(&self) -> ArcBorrow<'_, Class> {
        // SAFETY: By the type invariant it is there; it lies in an `Arc`.
        unsafe { ArcBorrow::from_raw(self.cold.class) }
    }

    /// The number of the instance, unique in its class for ever.
    pub(crate) fn id(&self) -> u64 {
        self.cold.id
    }

    pub(crate) fn get(&self) {
        self.cold.handles.fetch_add(1, Relaxed);
    }

    /// As `get`, for who has no handle yet; `false`: the instance is being made, or ending.
    pub(crate) fn try_get(&self) -> bool {
        let mut handles = self.cold.handles.load(Relaxed);
        while handles != 0 {
            match self
                .cold
                .handles
                .cmpxchg(handles, handles.wrapping_add(1), Acquire)
            {
                Ok(_) => return true,
                Err(seen) => handles = seen,
            }
        }
        false
    }

    /// Drops one handle; `true`: it was the last.
    pub(crate) fn put(&self) -> bool {
        self.cold.handles.fetch_sub(1, Full) == 1
    }

    /// # Safety
    ///
    /// The caller owns the dead slot.
    pub(crate) unsafe fn set_next_dead(slot: *mut Self, next: *mut Self) {
        // SAFETY: By the caller's promise.
        unsafe { (*slot).cold.next_dead = next }
    }

    pub(crate) fn next_dead(&self) -> *mut Self {
        self.cold.next_dead
    }
}
