// SPDX-License-Identifier: GPL-2.0

//! Lists: the slots of a class, by the CPU on which they were made.
//!
//! A list also knows the default, counts its slots, and has the pins of the default's instances:
//! so finding the default, pinning it, counting and linking are one section of one lock, which
//! other processors seldom want.

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

use kernel::error::code::{EAGAIN, ENODEV};
use kernel::prelude::*;
use kernel::sync::SpinLock;

use crate::helpers::molt_processor;
use crate::implementation::Registered;
use crate::object::{Header, Memory};
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

/// A word that one at a time changes: whoever holds its list's lock, or the updater of a
/// quiescent class. Anybody may read it.
struct Word<T>(UnsafeCell<T>);

// SAFETY: By the above, and words are read and written whole.
unsafe impl<T> Sync for Word<T> {}
// SAFETY: As above.
unsafe impl<T> Send for Word<T> {}

impl<T: Copy> Word<T> {
    fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    #[inline(always)]
    fn get(&self) -> T {
        // SAFETY: The word is valid, and written whole.
        unsafe { self.0.get().read_volatile() }
    }

    /// # Safety
    ///
    /// The caller is the one who may change it.
    #[inline(always)]
    unsafe fn set(&self, value: T) {
        // SAFETY: By the caller's promise.
        unsafe { self.0.get().write_volatile(value) }
    }
}

impl Word<i64> {
    /// # Safety
    ///
    /// As for [`Word::set`].
    #[inline(always)]
    unsafe fn add(&self, change: i64) {
        // SAFETY: As the caller promises.
        unsafe { self.set(self.get().wrapping_add(change)) }
    }
}

#[pin_data]
#[repr(align(64))]
struct List {
    #[pin]
    head: SpinLock<Head>,
    /// The slots in the list.
    slots: Word<i64>,
    /// What creations use, the default; null: there is none. It has a pin as the default, and
    /// is replaced in all lists before that is given up.
    factory: Word<*const Registered>,
    /// Instances of the factory that were made here since it came, less those that ended here:
    /// it serves so many more, and has so many more pins, than it says itself.
    pins: Word<i64>,
}

impl List {
    /// Leaves to the factory what was counted for it.
    ///
    /// # Safety
    ///
    /// The caller holds the list's lock, or is the updater of a quiescent class.
    unsafe fn settle(&self) {
        // SAFETY: The factory has a pin; the rest is as the caller promises.
        unsafe {
            if let Some(factory) = self.factory.get().as_ref() {
                factory.settle(self.pins.get());
            }
            self.pins.set(0);
        }
    }

    /// Changes the factory.
    ///
    /// # Safety
    ///
    /// As for [`List::settle`].
    unsafe fn change(&self, factory: *const Registered) {
        // SAFETY: As the caller promises.
        unsafe {
            self.settle();
            self.factory.set(factory);
        }
    }
}

/// What became of an insertion.
pub(crate) enum Insertion<'a> {
    /// The slot is listed, and its object one of this implementation, which is pinned for it.
    Done(&'a Registered),
    /// Objects have this size now.
    OfSize(usize),
}

/// The lists of a class, one for each possible CPU. Insert and remove are O(1).
///
/// A walk visits the slots that were there when it began, a few at a time, while others are
/// inserted and removed. There is one walk through a list at a time: a transition's.
pub(crate) struct Lists {
    lists: KVec<Pin<KBox<List>>>,
    /// The size of the factory's objects; [`Lists::insert`] has the last word.
    object_size: Word<usize>,
}

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
                pin_init!(List {
                    head <- kernel::new_spinlock!(empty, "molt_instances"),
                    slots: Word::new(0),
                    factory: Word::new(ptr::null()),
                    pins: Word::new(0),
                }),
                GFP_KERNEL,
            )?;
            lists.push(list, GFP_KERNEL)?;
        }
        Ok(Self {
            lists,
            object_size: Word::new(size_of::<Header>()),
        })
    }

    /// How many lists there are.
    pub(crate) fn count(&self) -> usize {
        self.lists.len()
    }

    /// How many slots there are. Exact where none comes or goes.
    pub(crate) fn slots(&self) -> i64 {
        self.lists.iter().map(|list| list.slots.get()).sum()
    }

    /// How many instances of `implementation` the lists count, where it is the factory. Asked
    /// before itself, it misses none; what is settled meanwhile counts twice.
    pub(crate) fn instances_of(&self, implementation: &Registered) -> i64 {
        let theirs = self.lists.iter().map(|list| {
            let pins = list.pins.get();
            match ptr::eq(list.factory.get(), implementation) {
                true => pins,
                false => 0,
            }
        });
        theirs.sum()
    }

    /// Makes `factory` what creations use from now on; null: they fail. Whoever calls keeps it
    /// and the one before pinned, and is the only one to do so. Creations that have found the
    /// one before are counted with it when this returns. Does not sleep.
    pub(crate) fn set_factory(&self, factory: *const Registered) {
        // SAFETY: By the above.
        unsafe { self.set_size(factory) };
        for list in &self.lists {
            let _head = list.head.lock();
            // SAFETY: The lock is held.
            unsafe { list.change(factory) };
        }
    }

    /// The same, without a lock.
    ///
    /// # Safety
    ///
    /// The class is quiescent, and its updater calls.
    pub(crate) unsafe fn set_factory_quiescent(&self, factory: &Registered) {
        // SAFETY: As the caller promises.
        unsafe {
            self.set_size(factory);
            self.lists.iter().for_each(|list| list.change(factory));
        }
    }

    /// # Safety
    ///
    /// The caller is the only one to change the factory, and keeps this one pinned.
    unsafe fn set_size(&self, factory: *const Registered) {
        // SAFETY: As the caller promises.
        unsafe {
            if let Some(factory) = factory.as_ref() {
                self.object_size.set(factory.object_size());
            }
        }
    }

    /// Leaves to the factory what the lists have counted for it. Does not sleep.
    pub(crate) fn settle(&self) {
        for list in &self.lists {
            let _head = list.head.lock();
            // SAFETY: The lock is held.
            unsafe { list.settle() };
        }
    }

    /// The same, without a lock.
    ///
    /// # Safety
    ///
    /// The class is quiescent, and its updater calls.
    pub(crate) unsafe fn settle_quiescent(&self) {
        // SAFETY: As the caller promises.
        self.lists.iter().for_each(|list| unsafe { list.settle() });
    }

    /// The size that an object most likely has to have.
    #[inline(always)]
    pub(crate) fn object_size(&self) -> usize {
        self.object_size.get()
    }

    /// Makes `memory`, which has `size` bytes, an object of the factory and that of `slot`, and
    /// links `slot` into the list of this CPU.
    ///
    /// # Errors
    ///
    /// * `ENODEV`: there is no factory.
    /// * `EAGAIN`: its module has not finished its init.
    ///
    /// # Safety
    ///
    /// `slot` is alive until [`Lists::remove`], in no list, and the caller's, as is `memory`. The
    /// caller runs a creation of the class.
    #[inline(always)]
    pub(crate) unsafe fn insert(
        &self,
        slot: *mut Slot,
        stamp: u64,
        memory: &Memory,
        size: usize,
    ) -> Result<Insertion<'_>> {
        let index = processor();
        let list: &List = self.lists.get(index).ok_or(ENODEV)?;
        let mut head = list.head.lock();
        // SAFETY: Under the lock it is the factory, and pinned.
        let factory = unsafe { list.factory.get().as_ref() }.ok_or(ENODEV)?;
        if !factory.is_live() {
            return Err(EAGAIN);
        }
        if factory.object_size() != size {
            return Ok(Insertion::OfSize(factory.object_size()));
        }
        memory.set_header(factory);
        // SAFETY: `slot` is the caller's and alive, and so is the first slot; links and words
        // are under the lock.
        unsafe {
            Slot::begin(slot, stamp, memory.header());
            (*slot).list = index;
            (*slot).cold.next = head.first;
            if let Some(first) = head.first.as_mut() {
                first.cold.previous = slot;
            }
            list.slots.add(1);
            list.pins.add(1);
        }
        head.first = slot;
        Ok(Insertion::Done(factory))
    }

    /// Unlinks `slot`, whose object was one of `implementation`. Returns whether its pin is
    /// given up by that.
    ///
    /// # Safety
    ///
    /// `slot` was inserted here.
    pub(crate) unsafe fn remove(&self, slot: *mut Slot, implementation: &Registered) -> bool {
        // SAFETY: `list` is not written after `insert`.
        let Some(list) = self.lists.get(unsafe { (*slot).list }) else {
            return false;
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
            list.slots.add(-1);
            let is_factory = ptr::eq(list.factory.get(), implementation);
            if is_factory {
                list.pins.add(-1);
            }
            is_factory
        }
    }

    /// Visits every slot under the lock of its list: `visit` must not sleep. It returns
    /// whether to go on.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&Slot) -> bool) {
        for list in &self.lists {
            let head = list.head.lock();
            if !head.iter().all(&mut visit) {
                return;
            }
        }
    }

    /// Begins a walk through list `index`.
    pub(crate) fn rewind(&self, index: usize) {
        if let Some(list) = self.lists.get(index) {
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
        let Some(list) = self.lists.get(index) else {
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
        let first = self.lists.get(index).map(|list| list.head.lock().first);
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
        let mark = self.lists.get(index).map(|list| list.head.lock().mark);
        // SAFETY: As the caller promises.
        unsafe { self.quiescent(index) }
            .take_while(move |slot| !mark.is_some_and(|mark| ptr::eq(*slot, mark)))
    }
}
