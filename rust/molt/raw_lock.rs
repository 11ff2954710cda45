// SPDX-License-Identifier: GPL-2.0

//! Raw spinlocks that keep interrupts off: what calls of atomic classes take in an interrupt, where
//! the kernel's `spinlock_t`, which may sleep in other configurations, has no business. The kernel
//! crate has no such lock yet.

use kernel::bindings;
use kernel::ffi::c_char;
use kernel::sync::lock::{Backend, Guard, Lock};

use crate::helpers::{
    molt_raw_lock, molt_raw_lock_assert_held, molt_raw_lock_init, molt_raw_trylock, molt_raw_unlock,
};

/// A `raw_spinlock_t` around a value. Any context but an NMI.
pub(crate) type RawLock<T> = Lock<T, RawBackend>;

/// A held raw lock.
pub(crate) type RawGuard<'a, T> = Guard<'a, T, RawBackend>;

/// Makes a [`RawLock`] under a name for lockdep.
macro_rules! new_raw_lock {
    ($value:expr, $name:literal) => {
        $crate::raw_lock::RawLock::new($value, $name, ::kernel::static_lock_class!())
    };
}
pub(crate) use new_raw_lock;

/// The kernel's functions behind it. Interrupts are off as long as one of the guards is there,
/// whichever goes first.
pub(crate) struct RawBackend;

// SAFETY: A `raw_spinlock_t` excludes; to take it again is to take it.
unsafe impl Backend for RawBackend {
    type State = bindings::raw_spinlock_t;
    type GuardState = ();

    unsafe fn init(
        lock: *mut Self::State,
        name: *const c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: By the caller's promise.
        unsafe { molt_raw_lock_init(lock, name, key) }
    }

    #[inline]
    unsafe fn lock(lock: *mut Self::State) {
        // SAFETY: The lock is initialised.
        unsafe { molt_raw_lock(lock) }
    }

    #[inline]
    unsafe fn try_lock(lock: *mut Self::State) -> Option<()> {
        // SAFETY: As above.
        unsafe { molt_raw_trylock(lock) }.then_some(())
    }

    #[inline]
    unsafe fn unlock(lock: *mut Self::State, _state: &()) {
        // SAFETY: The caller holds the lock.
        unsafe { molt_raw_unlock(lock) }
    }

    #[inline]
    unsafe fn assert_is_held(lock: *mut Self::State) {
        // SAFETY: The lock is initialised.
        unsafe { molt_raw_lock_assert_held(lock) }
    }
}
