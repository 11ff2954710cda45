// SPDX-License-Identifier: GPL-2.0

//! Slots: the indirection cell of an instance.
//!
//! A slot lies in memory of `molt.ko`. Its first cache line is what a call reads and nobody
//! writes but a transition; counts and links are in the next one.

use core::ptr;

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed, Release};
use kernel::sync::{Arc, SpinLockIrq};

use crate::class::Class;
use crate::gate::{Gate, CLOSED};
use crate::holder::Holder;
use crate::object::{Header, Memory};
use crate::primitives::set_moving;

/// The cell of one instance.
///
/// # Invariants
///
/// * `gate` is the gate of `cold.class`.
/// * `object` is valid wherever `stamp` is the gate's, in a recorded call, and under the lock
///   of `twin`. It is null only before the slot is published, and is replaced under that
///   lock, by one owner: so nobody moves an instance twice.
#[pin_data]
#[repr(C, align(64))]
pub(crate) struct Slot {
    gate: *const Gate,
    pub(crate) stamp: Atomic<u64>,
    object: Atomic<*mut Header>,
    pub(crate) operations: Atomic<*const ()>,
    #[pin]
    twin: SpinLockIrq<Twin>,
    /// Which of the class's lists it is in.
    pub(crate) list: usize,
    key: Option<u64>,
    pub(crate) cold: Cold,
}

/// The object that the instance is to get, if a transition needs one: memory with a header
/// and no state yet.
pub(crate) struct Twin(pub(crate) Option<Memory>);

/// What no call touches.
#[repr(align(64))]
pub(crate) struct Cold {
    /// Handles to this slot. At zero the slot goes to the reaper.
    handles: Atomic<u64>,
    class: Arc<Class>,
    holder: Option<Arc<Holder>>,
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

impl Slot {
    /// Makes a slot with one handle and no object.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new(
        class: Arc<Class>,
        holder: Option<Arc<Holder>>,
        key: Option<u64>,
    ) -> Result<Pin<KBox<Self>>> {
        let gate = ptr::from_ref::<Gate>(class.gate());
        let cold = Cold {
            handles: Atomic::new(1),
            holder,
            id: class.next_id(),
            class,
            next: ptr::null_mut(),
            previous: ptr::null_mut(),
            next_dead: ptr::null_mut(),
        };
        KBox::pin_init(
            pin_init!(Self {
                gate,
                stamp: Atomic::new(CLOSED),
                object: Atomic::new(ptr::null_mut()),
                operations: Atomic::new(ptr::null()),
                twin <- kernel::new_spinlock_irq!(Twin(None), "molt_slot"),
                list: 0,
                key,
                cold,
            }),
            GFP_KERNEL,
        )
    }

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
                unsafe { self.carry(routes, twin, ptr::without_provenance_mut(1 << 12)) };
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

    /// Who made the instance, if that is known.
    pub(crate) fn holder(&self) -> Option<&Arc<Holder>> {
        self.cold.holder.as_ref()
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

    /// Replaces the object. The class is quiescent, or the slot is not yet published.
    pub(crate) fn set_object(&self, object: *mut Header) {
        // Release: an abandoned call that has not loaded its object yet loads this one, and
        // finds what is in there. All others have the order of the stamp.
        self.object.store(object, Release);
    }

    pub(crate) fn class(&self) -> &Arc<Class> {
        &self.cold.class
    }

    /// The number of the instance, unique in its class for ever.
    pub(crate) fn id(&self) -> u64 {
        self.cold.id
    }

    pub(crate) fn get(&self) {
        self.cold.handles.fetch_add(1, Relaxed);
    }

    /// As `get`, for who has no handle yet; `false`: the instance is ending.
    pub(crate) fn try_get(&self) -> bool {
        let mut handles = self.cold.handles.load(Relaxed);
        while handles != 0 {
            match self
                .cold
                .handles
                .cmpxchg(handles, handles.wrapping_add(1), Relaxed)
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
