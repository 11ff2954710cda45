// SPDX-License-Identifier: GPL-2.0

//! Lists: the slots of a class, by the CPU on which they were made.

use core::ptr::{self, NonNull};

use kernel::prelude::*;
use kernel::sync::SpinLock;

use crate::helpers::molt_processor;
use crate::slot::Slot;

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
