// SPDX-License-Identifier: GPL-2.0

//! The instances of processes by number; the table itself is in `probe.c`. There is one.

use core::ffi::c_void;

use kernel::error::to_result;
use kernel::ffi::{c_int, c_ulong};
use kernel::prelude::*;
use kernel::types::ForeignOwnable;

use super::object::{another, end, Callee, Object};

extern "C" {
    fn process_table_insert(pid: u32, instance: *mut c_void) -> c_int;
    fn process_table_adopt(task: *const c_void, pid: u32, instance: *mut c_void) -> c_int;
    fn process_table_find(pid: u32) -> *mut c_void;
    fn process_table_remove(pid: u32) -> *mut c_void;
    fn process_table_get(
        pid: *mut c_ulong,
        get: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    ) -> *mut c_void;
}

/// Puts an instance in with `put`, which gives an errno where it did not.
fn put_in(instance: Object, put: impl FnOnce(*mut c_void) -> c_int) -> Result {
    let instance = instance.into_foreign();
    to_result(put(instance)).inspect_err(|_| {
        // SAFETY: It was made above, and was not taken.
        end(unsafe { Object::from_foreign(instance) });
    })
}

/// Puts in the instance of a process that has not run yet. May sleep.
///
/// # Errors
///
/// `EBUSY`: the process is there; `ENOMEM`.
pub(crate) fn insert(pid: u32, instance: Object) -> Result {
    // SAFETY: The table takes instances only.
    put_in(instance, |pointer| unsafe {
        process_table_insert(pid, pointer)
    })
}

/// The same for one that may have come to its end (`ESRCH`).
///
/// # Safety
///
/// `task` is a task of the process.
pub(crate) unsafe fn adopt(task: *const c_void, pid: u32, instance: Object) -> Result {
    // SAFETY: By the caller's promise.
    put_in(instance, |pointer| unsafe {
        process_table_adopt(task, pid, pointer)
    })
}

/// Calls `f` with the instance of a process.
///
/// # Safety
///
/// The process does not end meanwhile.
#[inline(always)]
pub(crate) unsafe fn with<R>(pid: u32, f: impl FnOnce(&Callee) -> R) -> Option<R> {
    // SAFETY: Always safe to call.
    let instance = unsafe { process_table_find(pid) };
    if instance.is_null() {
        return None;
    }
    // SAFETY: Only the end of its process takes it out.
    let instance = unsafe { Object::borrow(instance) };
    Some(f(&instance))
}

/// Takes the instance of a process out.
pub(crate) fn remove(pid: u32) -> Option<Object> {
    // SAFETY: What comes out was put in, and comes out once.
    unsafe { Object::try_from_foreign(process_table_remove(pid)) }
}

/// The first process from `pid` on, with its instance.
pub(crate) fn first_from(pid: u32) -> Option<(u32, Object)> {
    let mut pid = pid as c_ulong;
    // SAFETY: `pid` is of this function, and `count` is called with an instance. What that gives
    // away is taken here.
    let instance = unsafe { Object::try_from_foreign(process_table_get(&mut pid, count)) };
    instance.map(|instance| (pid as u32, instance))
}

/// # Safety
///
/// `instance` is in the table, and stays there meanwhile.
unsafe extern "C" fn count(instance: *mut c_void) -> *mut c_void {
    // SAFETY: By the caller's promise.
    another(unsafe { Object::borrow(instance) }).into_foreign()
}
