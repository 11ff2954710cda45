// SPDX-License-Identifier: GPL-2.0

//! Errands: what needs more stack than a system call has left.
//!
//! Types are compared as they are nested, half a KiB of stack for each level, and a write to
//! sysfs has used half of its stack before it comes to that.

use core::ffi::c_void;

use crate::helpers::molt_on_worker;

struct Errand<F, R> {
    body: Option<F>,
    result: Option<R>,
}

/// Runs `body` on a worker's stack, and waits for it. Sleeps.
pub(crate) fn run<F: FnOnce() -> R, R>(body: F) -> Option<R> {
    let mut errand = Errand {
        body: Some(body),
        result: None,
    };
    // SAFETY: The errand stays here until the worker is done with it; nobody else has it, and
    // what the body refers to is used by one thread at a time.
    unsafe { molt_on_worker(go::<F, R>, (&raw mut errand).cast()) };
    errand.result
}

/// # Safety
///
/// `argument` is an errand that nobody else uses.
unsafe extern "C" fn go<F: FnOnce() -> R, R>(argument: *mut c_void) {
    // SAFETY: By the caller's promise.
    let errand = unsafe { &mut *argument.cast::<Errand<F, R>>() };
    errand.result = errand.body.take().map(|body| body());
}
