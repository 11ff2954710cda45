// SPDX-License-Identifier: GPL-2.0

//! Slots: the indirection cell of an instance, and the per-CPU lists of them.
//!
//! A slot lies in memory of `molt.ko`. Its first cache line is what a call reads and nobody
//! writes but a transition; counts and links are in the next one.

use core::ptr::{self, NonNull};

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed, Release};
use kernel::sync::{Arc, SpinLock, SpinLockIrq};

use crate::class::Class;
use crate::gate::{Gate, CLOSED};
use crate::helpers::molt_processor;
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
    #[pin]
    twin: SpinLockIrq<Twin>,
    /// Which of the class's lists it is in.
    list: usize,
    key: Option<u64>,
    cold: Cold,
}

// A call touches the first line only, and an instance costs no more than two.
const _: () = assert!(size_of::<SpinLockIrq<Twin>>() > 16 || size_of::<Slot>() == 128);

/// The object that the instance is to get, if a transition needs one: memory with a header
/// and no state yet.
pub(crate) struct Twin(pub(crate) Option<Memory>);

#[repr(align(64))]
struct Cold {
    /// Handles to this slot. At zero the slot goes to the reaper.
    handles: Atomic<u64>,
    class: Arc<Class>,
    holder: Option<Arc<Holder>>,
    id: u64,
    next: *mut Slot,
    previous: *mut Slot,
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

/// Slots that are kept, with one handle of each.
pub(crate) struct Kept(KVVec<NonNull<Slot>>);

// SAFETY: Slots may be used from any thread.
unsafe impl Send for Kept {}
// SAFETY: As above.
unsafe impl Sync for Kept {}

impl Kept {
    /// None.
    pub(crate) fn none() -> Self {
        Self(KVVec::new())
    }

    /// Keeps the slots of a class that `choose` picks, as far as they have a handle left. It
    /// is asked under the lock of a list, and must not sleep. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn of(class: &Class, mut choose: impl FnMut(&Slot) -> bool) -> Result<Self> {
        loop {
            // Room for those that are made meanwhile; if there are more, once again.
            let expected = usize::try_from(class.instances()).unwrap_or_default();
            let room = expected.saturating_add(expected / 8).saturating_add(64);
            let mut kept = Self(KVVec::with_capacity(room, GFP_KERNEL)?);
            let mut is_whole = true;
            class.lists().visit(|slot| {
                is_whole = kept.0.len() < kept.0.capacity();
                if is_whole && choose(slot) && slot.try_get() {
                    let _ = kept.0.push(NonNull::from(slot), GFP_ATOMIC);
                }
                is_whole
            });
            if is_whole {
                return Ok(kept);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        // SAFETY: A handle of each is held.
        self.0.iter().map(|slot| unsafe { slot.as_ref() })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps the first `most` only.
    pub(crate) fn truncate(&mut self, most: usize) {
        while self.0.len() > most {
            if let Some(slot) = self.0.pop() {
                put(slot);
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.truncate(0);
    }
}

fn put(slot: NonNull<Slot>) {
    // SAFETY: The handle is given up here, and the slot not looked at after.
    if unsafe { slot.as_ref() }.put() {
        crate::reaper::bury(slot);
    }
}

/// The CPU this runs on, at this moment: any list would do, the nearest is the fastest.
fn processor() -> usize {
    // SAFETY: Always safe to call.
    unsafe { molt_processor() as usize }
}

/// The ends of a list, and how far a walk through it has come.
struct Head {
    first: *mut Slot,
    /// The next slot of the walk; null: it is at the end.
    cursor: *mut Slot,
    /// The first slot of the last walk: what is before it came later.
    mark: *mut Slot,
}

// SAFETY: Guarded by the lock around it.
unsafe impl Send for Head {}

impl Head {
    fn iter(&self) -> impl Iterator<Item = &Slot> {
        let mut next = self.first;
        core::iter::from_fn(move || {
            // SAFETY: Linked slots are alive under the lock, which `&self` shows.
            let slot = unsafe { next.as_ref() }?;
            next = slot.cold.next;
            Some(slot)
        })
    }
}

#[pin_data]
#[repr(align(64))]
struct List {
    #[pin]
    head: SpinLock<Head>,
}

/// The lists of a class, one for each possible CPU. Insert and remove are O(1).
///
/// A walk visits the slots that were there when it began, a few at a time, while others are
/// inserted and removed. There is one walk through a list at a time: a transition's.
pub(crate) struct Lists(KVec<Pin<KBox<List>>>);

impl Lists {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut lists = KVec::new();
        for _ in 0..kernel::cpu::nr_cpu_ids() {
            let empty = Head {
                first: ptr::null_mut(),
                cursor: ptr::null_mut(),
                mark: ptr::null_mut(),
            };
            let list = KBox::pin_init(
                pin_init!(List { head <- kernel::new_spinlock!(empty, "molt_instances") }),
                GFP_KERNEL,
            )?;
            lists.push(list, GFP_KERNEL)?;
        }
        Ok(Self(lists))
    }

    /// How many lists there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
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
            (*slot).list = index;
            (*slot).cold.previous = ptr::null_mut();
            (*slot).cold.next = head.first;
            if let Some(first) = head.first.as_mut() {
                first.cold.previous = slot;
            }
        }
        head.first = slot;
    }

    /// Unlinks `slot`.
    ///
    /// # Safety
    ///
    /// `slot` was inserted here.
    pub(crate) unsafe fn remove(&self, slot: *mut Slot) {
        // SAFETY: `list` is not written after `insert`.
        let Some(list) = self.0.get(unsafe { (*slot).list }) else {
            return;
        };
        let mut head = list.head.lock();
        // SAFETY: Neighbours in the list are alive under its lock.
        unsafe {
            let (previous, next) = ((*slot).cold.previous, (*slot).cold.next);
            match previous.as_mut() {
                Some(previous) => previous.cold.next = next,
                None => head.first = next,
            }
            if let Some(next) = next.as_mut() {
                next.cold.previous = previous;
            }
            let head = &mut *head;
            for place in [&mut head.cursor, &mut head.mark] {
                if *place == slot {
                    *place = next;
                }
            }
        }
    }

    /// Visits every slot under the lock of its list: `visit` must not sleep. It returns
    /// whether to go on.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&Slot) -> bool) {
        for list in &self.0 {
            let head = list.head.lock();
            if !head.iter().all(&mut visit) {
                return;
            }
        }
    }

    /// Begins a walk through list `index`.
    pub(crate) fn rewind(&self, index: usize) {
        if let Some(list) = self.0.get(index) {
            let mut head = list.head.lock();
            head.cursor = head.first;
            head.mark = head.first;
        }
    }

    /// Goes on with the walk through list `index`, under its lock: `visit` must not sleep.
    /// It returns whether it took the slot; one that it did not comes again. Returns whether
    /// there are more slots.
    pub(crate) fn walk(
        &self,
        index: usize,
        most: usize,
        mut visit: impl FnMut(&Slot) -> bool,
    ) -> bool {
        let Some(list) = self.0.get(index) else {
            return false;
        };
        let mut head = list.head.lock();
        for _ in 0..most {
            // SAFETY: The cursor is a linked slot: `remove` sees to it.
            let Some(slot) = (unsafe { head.cursor.as_ref() }) else {
                return false;
            };
            if !visit(slot) {
                break;
            }
            head.cursor = slot.cold.next;
        }
        !head.cursor.is_null()
    }

    /// The slots of list `index` of a quiescent class: instances come and go by calls only, so
    /// the lists stand still and need no lock.
    ///
    /// # Safety
    ///
    /// The class is quiescent for as long as the iterator lives.
    pub(crate) unsafe fn quiescent(&self, index: usize) -> impl Iterator<Item = &Slot> {
        let first = self.0.get(index).map(|list| list.head.lock().first);
        let mut next = first.and_then(NonNull::new);
        core::iter::from_fn(move || {
            // SAFETY: By the caller's promise nobody unlinks or frees a slot.
            let slot = unsafe { next?.as_ref() };
            next = NonNull::new(slot.cold.next);
            Some(slot)
        })
    }

    /// Those of them that came after the last walk had begun.
    ///
    /// # Safety
    ///
    /// As for [`Lists::quiescent`].
    pub(crate) unsafe fn late(&self, index: usize) -> impl Iterator<Item = &Slot> {
        let mark = self.0.get(index).map(|list| list.head.lock().mark);
        // SAFETY: As the caller promises.
        unsafe { self.quiescent(index) }
            .take_while(move |slot| !mark.is_some_and(|mark| ptr::eq(*slot, mark)))
    }
}
