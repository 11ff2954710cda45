// SPDX-License-Identifier: GPL-2.0

//! Slots: the indirection cell of an instance, and the per-CPU lists of them.
//!
//! A slot lies in memory of `molt.ko`. Its first cache line is what a call reads and nobody
//! writes but a transition; counts and links are in the next one.

use core::ptr::{self, NonNull};

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};
use kernel::sync::{Arc, SpinLock};

use crate::class::Class;
use crate::gate::Gate;
use crate::helpers::molt_processor;
use crate::object::Header;

/// The cell of one instance.
///
/// # Invariants
///
/// * `gate` is the gate of `cold.class`.
/// * `object` is valid wherever `stamp` is the gate's, in a recorded call, and in the
///   updater's hands; it is null only while its state is being moved.
#[repr(C, align(64))]
pub(crate) struct Slot {
    gate: *const Gate,
    pub(crate) stamp: Atomic<u64>,
    object: Atomic<*mut Header>,
    cold: Cold,
}

#[repr(align(64))]
struct Cold {
    /// Handles to this slot. At zero the slot goes to the reaper.
    handles: Atomic<u64>,
    class: Arc<Class>,
    id: u64,
    /// Which of the class's lists it is in.
    list: usize,
    next: *mut Slot,
    previous: *mut Slot,
    next_dead: *mut Slot,
}

// SAFETY: Links are touched under the lock of their list, `next_dead` by the reaper only.
unsafe impl Send for Slot {}
// SAFETY: As above; everything else that changes is atomic.
unsafe impl Sync for Slot {}

impl Slot {
    /// Makes a slot with one handle and no object.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(class: Arc<Class>) -> Result<KBox<Self>> {
        let gate = ptr::from_ref::<Gate>(class.gate());
        Ok(KBox::new(
            Self {
                gate,
                stamp: Atomic::new(crate::gate::CLOSED),
                object: Atomic::new(ptr::null_mut()),
                cold: Cold {
                    handles: Atomic::new(1),
                    id: class.next_id(),
                    class,
                    list: 0,
                    next: ptr::null_mut(),
                    previous: ptr::null_mut(),
                    next_dead: ptr::null_mut(),
                },
            },
            GFP_KERNEL,
        )?)
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
        self.object.store(object, Relaxed);
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

/// The CPU this runs on, at this moment: any list would do, the nearest is the fastest.
fn processor() -> usize {
    // SAFETY: Always safe to call.
    unsafe { molt_processor() as usize }
}

struct Head(*mut Slot);

// SAFETY: Guarded by the lock around it.
unsafe impl Send for Head {}

#[pin_data]
#[repr(align(64))]
struct List {
    #[pin]
    head: SpinLock<Head>,
}

/// The lists of a class, one for each possible CPU. Insert and remove are O(1).
pub(crate) struct Lists(KVec<Pin<KBox<List>>>);

impl Lists {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut lists = KVec::new();
        for _ in 0..kernel::cpu::nr_cpu_ids() {
            let list = KBox::pin_init(
                pin_init!(List {
                    head <- kernel::new_spinlock!(Head(ptr::null_mut()), "molt_instances"),
                }),
                GFP_KERNEL,
            )?;
            lists.push(list, GFP_KERNEL)?;
        }
        Ok(Self(lists))
    }

    /// Links `slot` into the list of this CPU.
    ///
    /// # Safety
    ///
    /// `slot` is alive until [`Lists::remove`], and in no list.
    pub(crate) unsafe fn insert(&self, slot: *mut Slot) {
        let index = processor();
        let Some(list) = self.0.get(index) else {
            return;
        };
        let mut head = list.head.lock();
        // SAFETY: `slot` is alive, and so is the first slot; links are under the lock.
        unsafe {
            (*slot).cold.list = index;
            (*slot).cold.previous = ptr::null_mut();
            (*slot).cold.next = head.0;
            if let Some(first) = head.0.as_mut() {
                first.cold.previous = slot;
            }
        }
        head.0 = slot;
    }

    /// Unlinks `slot`.
    ///
    /// # Safety
    ///
    /// `slot` was inserted here.
    pub(crate) unsafe fn remove(&self, slot: *mut Slot) {
        // SAFETY: `list` is not written after `insert`.
        let Some(list) = self.0.get(unsafe { (*slot).cold.list }) else {
            return;
        };
        let mut head = list.head.lock();
        // SAFETY: Neighbours in the list are alive under its lock.
        unsafe {
            let (previous, next) = ((*slot).cold.previous, (*slot).cold.next);
            match previous.as_mut() {
                Some(previous) => previous.cold.next = next,
                None => head.0 = next,
            }
            if let Some(next) = next.as_mut() {
                next.cold.previous = previous;
            }
        }
    }

    /// Visits every slot under the lock of its list: `visit` must not sleep. It returns
    /// whether to go on.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&Slot) -> bool) {
        for list in &self.0 {
            let head = list.head.lock();
            let mut next = head.0;
            // SAFETY: Linked slots are alive under the lock.
            while let Some(slot) = unsafe { next.as_ref() } {
                if !visit(slot) {
                    return;
                }
                next = slot.cold.next;
            }
        }
    }

    /// The slots of a quiescent class: instances come and go by calls only, so the lists
    /// stand still and need no lock.
    ///
    /// # Safety
    ///
    /// The class is quiescent for as long as the iterator lives.
    pub(crate) unsafe fn quiescent(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().flat_map(|list| {
            let mut next = NonNull::new(list.head.lock().0);
            core::iter::from_fn(move || {
                // SAFETY: By the caller's promise nobody unlinks or frees a slot.
                let slot = unsafe { next?.as_ref() };
                next = NonNull::new(slot.cold.next);
                Some(slot)
            })
        })
    }
}
