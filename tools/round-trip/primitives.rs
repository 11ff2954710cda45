// SPDX-License-Identifier: GPL-2.0

//! The functions of the kernel that states and rules use, for one thread.
//!
//! The kernel crate itself is the real one. What it calls and is not here ends the process with
//! the function's name: tools/inside/check-module makes those.

use core::ffi::CStr;
use core::sync::atomic::{
    AtomicI16, AtomicI32, AtomicI64, AtomicI8, AtomicPtr, AtomicU32, Ordering::SeqCst,
};

use kernel::ffi::{c_char, c_int, c_long, c_void};
use kernel::macros::paste;

use crate::memory;

// ---- atomic operations -----------------------------------------------------------------

/// Functions of one operation, in all orders: with one thread they are the same.
macro_rules! each {
    ($kind:ident [$($name:ident)*] $arguments:tt -> $result:ty $body:block) => {
        paste! {$(
            #[no_mangle]
            #[allow(unused_braces)]
            unsafe extern "C" fn [<rust_helper_ $kind _ $name>] $arguments -> $result {
                // SAFETY: The kernel crate passes a pointer to a value of this type.
                unsafe { $body }
            }
        )*}
    };
}

macro_rules! basic {
    ($kind:ident, $atomic:ty, $type:ty) => {
        each!($kind [read read_acquire] (a: *const $atomic) -> $type { (*a).load(SeqCst) });
        each!($kind [set set_release] (a: *const $atomic, value: $type) -> () {
            (*a).store(value, SeqCst)
        });
        each!($kind [xchg xchg_acquire xchg_release xchg_relaxed]
            (a: *const $atomic, value: $type) -> $type { (*a).swap(value, SeqCst) });
        each!($kind [try_cmpxchg try_cmpxchg_acquire try_cmpxchg_release try_cmpxchg_relaxed]
            (a: *const $atomic, old: *mut $type, new: $type) -> bool {
                match (*a).compare_exchange(*old, new, SeqCst, SeqCst) {
                    Ok(_) => true,
                    Err(seen) => {
                        *old = seen;
                        false
                    }
                }
            });
    };
}

macro_rules! arithmetic {
    ($kind:ident, $atomic:ty, $type:ty) => {
        each!($kind [add] (value: $type, a: *const $atomic) -> () { (*a).fetch_add(value, SeqCst); });
        each!($kind [fetch_add fetch_add_acquire fetch_add_release fetch_add_relaxed]
            (value: $type, a: *const $atomic) -> $type { (*a).fetch_add(value, SeqCst) });
        each!($kind [add_return add_return_acquire add_return_release add_return_relaxed]
            (value: $type, a: *const $atomic) -> $type {
                (*a).fetch_add(value, SeqCst).wrapping_add(value)
            });
        each!($kind [sub] (value: $type, a: *const $atomic) -> () { (*a).fetch_sub(value, SeqCst); });
        each!($kind [fetch_sub fetch_sub_acquire fetch_sub_release fetch_sub_relaxed]
            (value: $type, a: *const $atomic) -> $type { (*a).fetch_sub(value, SeqCst) });
        each!($kind [and] (value: $type, a: *const $atomic) -> () { (*a).fetch_and(value, SeqCst); });
        each!($kind [fetch_and fetch_and_acquire fetch_and_release fetch_and_relaxed]
            (value: $type, a: *const $atomic) -> $type { (*a).fetch_and(value, SeqCst) });
        each!($kind [or] (value: $type, a: *const $atomic) -> () { (*a).fetch_or(value, SeqCst); });
        each!($kind [fetch_or fetch_or_acquire fetch_or_release fetch_or_relaxed]
            (value: $type, a: *const $atomic) -> $type { (*a).fetch_or(value, SeqCst) });
        each!($kind [xor] (value: $type, a: *const $atomic) -> () { (*a).fetch_xor(value, SeqCst); });
        each!($kind [fetch_xor fetch_xor_acquire fetch_xor_release fetch_xor_relaxed]
            (value: $type, a: *const $atomic) -> $type { (*a).fetch_xor(value, SeqCst) });
    };
}

basic!(atomic, AtomicI32, i32);
basic!(atomic64, AtomicI64, i64);
basic!(atomic_i8, AtomicI8, i8);
basic!(atomic_i16, AtomicI16, i16);
basic!(atomic_ptr, AtomicPtr<c_void>, *mut c_void);
arithmetic!(atomic, AtomicI32, i32);
arithmetic!(atomic64, AtomicI64, i64);

// ---- counts of references --------------------------------------------------------------

#[no_mangle]
extern "C" fn rust_helper_REFCOUNT_INIT(value: c_int) -> c_int {
    value
}

each!(refcount [set] (a: *const AtomicI32, value: c_int) -> () { (*a).store(value, SeqCst) });
each!(refcount [inc] (a: *const AtomicI32) -> () { (*a).fetch_add(1, SeqCst); });
each!(refcount [dec] (a: *const AtomicI32) -> () { (*a).fetch_sub(1, SeqCst); });
each!(refcount [dec_and_test] (a: *const AtomicI32) -> bool { (*a).fetch_sub(1, SeqCst) == 1 });

// ---- locks -----------------------------------------------------------------------------

// Each is larger than a word, of which the first says whether it is held.

fn take(word: &AtomicU32) -> bool {
    word.swap(1, SeqCst) == 0
}

macro_rules! locks {
    ($($lock:ident $trylock:ident $unlock:ident $sleeps:literal;)*) => {$(
        #[no_mangle]
        unsafe extern "C" fn $lock(lock: *const AtomicU32) {
            if $sleeps {
                memory::sleeps("a mutex");
            }
            // SAFETY: There is a lock.
            assert!(take(unsafe { &*lock }), "a lock is taken that is held");
        }

        #[no_mangle]
        unsafe extern "C" fn $trylock(lock: *const AtomicU32) -> c_int {
            // SAFETY: As above.
            take(unsafe { &*lock }).into()
        }

        #[no_mangle]
        unsafe extern "C" fn $unlock(lock: *const AtomicU32) {
            // SAFETY: As above.
            unsafe { (*lock).store(0, SeqCst) };
        }
    )*};
}

locks!(
    mutex_lock mutex_trylock mutex_unlock true;
    rust_helper_spin_lock rust_helper_spin_trylock rust_helper_spin_unlock false;
    rust_helper_spin_lock_irq_disable rust_helper_spin_trylock_irq_disable
        rust_helper_spin_unlock_irq_enable false;
);

macro_rules! kinds {
    ($($init:ident $is_held:ident;)*) => {$(
        #[no_mangle]
        unsafe extern "C" fn $init(lock: *mut AtomicU32, _name: *const c_char, _key: *mut c_void) {
            // SAFETY: There is memory for a lock.
            unsafe { lock.write(AtomicU32::new(0)) };
        }

        #[no_mangle]
        unsafe extern "C" fn $is_held(lock: *const AtomicU32) {
            // SAFETY: There is a lock.
            assert!(unsafe { (*lock).load(SeqCst) } == 1, "a lock is not held");
        }
    )*};
}

kinds!(
    rust_helper___mutex_init rust_helper_mutex_assert_is_held;
    rust_helper___spin_lock_init rust_helper_spin_assert_is_held;
);

#[no_mangle]
extern "C" fn rust_helper_mutex_destroy(_lock: *mut c_void) {}

#[no_mangle]
extern "C" fn rust_helper_rcu_read_lock() {}

#[no_mangle]
extern "C" fn rust_helper_rcu_read_unlock() {}

// ---- time ------------------------------------------------------------------------------

/// Nanoseconds; one more each time, so that every run is the same.
fn now() -> i64 {
    static NOW: AtomicI64 = AtomicI64::new(1_000_000_000);
    NOW.fetch_add(1, SeqCst)
}

macro_rules! clocks {
    ($($name:ident)*) => {$(
        #[no_mangle]
        extern "C" fn $name() -> i64 {
            now()
        }
    )*};
}

clocks!(ktime_get rust_helper_ktime_get_real rust_helper_ktime_get_boottime
    rust_helper_ktime_get_clocktai);

// ---- errors ----------------------------------------------------------------------------

/// Highest errno.
const MAX_ERRNO: usize = 4095;

#[no_mangle]
extern "C" fn rust_helper_IS_ERR(pointer: *const c_void) -> bool {
    pointer.addr() >= MAX_ERRNO.wrapping_neg()
}

#[no_mangle]
extern "C" fn rust_helper_PTR_ERR(pointer: *const c_void) -> c_long {
    pointer.addr() as c_long
}

#[no_mangle]
extern "C" fn rust_helper_ERR_PTR(error: c_long) -> *mut c_void {
    core::ptr::without_provenance_mut(error as usize)
}

#[no_mangle]
extern "C" fn errname(_error: c_int) -> *const c_char {
    core::ptr::null()
}

#[no_mangle]
extern "C" fn rust_helper_BUG() -> ! {
    eprintln!("BUG");
    std::process::exit(crate::DIED)
}

/// What a function of the kernel that is not here comes to.
#[no_mangle]
unsafe extern "C" fn molt_host_absent(name: *const core::ffi::c_char) -> ! {
    // SAFETY: A constant text.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    eprintln!("calls `{name}`, which only the kernel has");
    std::process::exit(crate::ABSENT)
}

// ---- what tests set in the kernel ------------------------------------------------------

macro_rules! unset {
    ($($name:ident)*) => {$(
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        static $name: AtomicI32 = AtomicI32::new(0);
    )*};
}

unset!(molt_test_hold molt_test_state molt_test_dawdle_us molt_test_refuse molt_test_fail);

// ---- modules ---------------------------------------------------------------------------

#[no_mangle]
extern "C" fn molt_module_get(_module: *mut c_void) -> bool {
    true
}

#[no_mangle]
extern "C" fn molt_module_put(_module: *mut c_void) {}

#[no_mangle]
extern "C" fn molt_module_is_live(_module: *const c_void) -> bool {
    true
}

#[no_mangle]
extern "C" fn molt_module_is_signed(_module: *const c_void) -> bool {
    true
}

#[no_mangle]
extern "C" fn molt_module_name(_module: *const c_void) -> *const core::ffi::c_char {
    c"".as_ptr()
}

#[no_mangle]
extern "C" fn molt_module_srcversion(_module: *const c_void) -> *const core::ffi::c_char {
    c"".as_ptr()
}
