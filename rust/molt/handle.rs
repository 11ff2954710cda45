// SPDX-License-Identifier: GPL-2.0

//! Handles: what a caller holds, and the way every call goes.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

use kernel::types::ForeignOwnable;

use crate::fingerprint::Fingerprint;
use crate::interface::Interface;
use crate::movable::Movable;
use crate::object::Header;
use crate::schema::Type;
use crate::slot::Slot;

/// A counted reference to an instance, typed by its interface.
///
/// The methods of the interface are methods of the handle. A call never fails because of an
/// update. While the class is being updated it waits:
///
/// * In a class of sleepable context asleep, not interruptibly, in each try of the update for
///   about `pause_ms` and as long as the commit takes. No spinlock and no RCU read lock
///   may be held.
/// * In one of atomic context spinning, for about 50 us and as long as the commit takes: a
///   few instructions for each class. It may be made anywhere but in an NMI and under a
///   lock of the scheduler.
///
/// After a lazy update the first call of an instance moves its state.
///
/// A handle may be cloned and dropped in any context. The last drop ends the instance,
/// from a worker of `molt.ko`.
///
/// # Invariants
///
/// Holds one count of the slot; the slot's class serves the interface `I`.
pub struct Handle<I: ?Sized + Interface> {
    slot: NonNull<Slot>,
    interface: PhantomData<fn(&I)>,
}

// SAFETY: A slot may be used from any thread, and so may its state: implementations are
// `Send` and `Sync`.
unsafe impl<I: ?Sized + Interface> Send for Handle<I> {}
// SAFETY: As above.
unsafe impl<I: ?Sized + Interface> Sync for Handle<I> {}

impl<I: ?Sized + Interface> Handle<I> {
    /// # Safety
    ///
    /// Gives one count of `slot` away, whose class serves `I`.
    pub(crate) unsafe fn from_slot(slot: NonNull<Slot>) -> Self {
        Self {
            slot,
            interface: PhantomData,
        }
    }

    #[inline(always)]
    fn slot(&self) -> &Slot {
        // SAFETY: By the type invariant.
        unsafe { self.slot.as_ref() }
    }

    /// The number of the instance: unique in its class for ever, whatever is updated.
    pub fn id(&self) -> u64 {
        self.slot().id()
    }

    /// Drops the handle. If it is the last one, the instance is ended by this call, and not later
    /// by a worker. May sleep, in a class of atomic context, too. Methods of the class must not
    /// call it.
    pub fn end(self) {
        let slot = ManuallyDrop::new(self).slot;
        // SAFETY: By the type invariant; the count is given up here.
        if unsafe { slot.as_ref() }.put() {
            // SAFETY: With its last handle gone the slot is this function's.
            unsafe { crate::reaper::end_now(slot) };
        }
    }

    /// Runs `method` on the instance's object. The interface's methods are made of this. May
    /// sleep, as described above.
    #[doc(hidden)]
    #[inline(always)]
    pub fn call<R>(&self, method: impl FnOnce(*const Header, &I::Operations) -> R) -> R {
        let slot = self.slot();
        slot.gate().call(slot, move || {
            let object = slot.object();
            // SAFETY: Inside a call the object is valid, and its table is the one that
            // `Serves<T>` gave for `I`.
            method(object, unsafe {
                &*(*object).operations.cast::<I::Operations>()
            })
        })
    }
}

impl<I: ?Sized + Interface> Clone for Handle<I> {
    fn clone(&self) -> Self {
        self.slot().get();
        Self {
            slot: self.slot,
            interface: PhantomData,
        }
    }
}

impl<I: ?Sized + Interface> Drop for Handle<I> {
    fn drop(&mut self) {
        if self.slot().put() {
            crate::reaper::bury(self.slot);
        }
    }
}

/// A handle that something else holds, such as an `XArray`.
pub struct Borrowed<'a, I: ?Sized + Interface>(ManuallyDrop<Handle<I>>, PhantomData<&'a Handle<I>>);

impl<I: ?Sized + Interface> Deref for Borrowed<'_, I> {
    type Target = Handle<I>;

    fn deref(&self) -> &Handle<I> {
        &self.0
    }
}

// SAFETY: The pointer is that of a slot, which is aligned as one and is not null.
unsafe impl<I: ?Sized + Interface> ForeignOwnable for Handle<I> {
    const FOREIGN_ALIGN: usize = align_of::<Slot>();

    type Borrowed<'a> = Borrowed<'a, I>;
    type BorrowedMut<'a> = Borrowed<'a, I>;

    fn into_foreign(self) -> *mut c_void {
        ManuallyDrop::new(self).slot.as_ptr().cast()
    }

    unsafe fn from_foreign(pointer: *mut c_void) -> Self {
        // SAFETY: By the caller's promise it came from `into_foreign`, with a count.
        unsafe { Self::from_slot(NonNull::new_unchecked(pointer.cast())) }
    }

    unsafe fn borrow<'a>(pointer: *mut c_void) -> Borrowed<'a, I> {
        // SAFETY: As above; the count stays with the pointer.
        let handle = unsafe { Self::from_foreign(pointer) };
        Borrowed(ManuallyDrop::new(handle), PhantomData)
    }

    unsafe fn borrow_mut<'a>(pointer: *mut c_void) -> Borrowed<'a, I> {
        // SAFETY: By the caller's promise.
        unsafe { Self::borrow(pointer) }
    }
}

// SAFETY: A handle points to a slot, which lies in memory of `molt.ko`; dropping and calling
// it runs text of `molt.ko` and of whoever holds it.
unsafe impl<I: ?Sized + Interface> Movable for Handle<I> {
    const FINGERPRINT: u64 = Fingerprint::new()
        .text("Handle")
        .number(I::DESCRIPTION.fingerprint)
        .finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Handle", Self::FINGERPRINT);
}
