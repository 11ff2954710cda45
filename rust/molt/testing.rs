// SPDX-License-Identifier: GPL-2.0

//! Hooks for tests, off unless a parameter of `molt.ko` is set.

use kernel::sync::atomic::{Atomic, Relaxed};

use crate::attempt::{Attempt, Milestone};
use crate::helpers::{
    molt_test_dawdle_us, molt_test_fail, molt_test_hold, molt_test_refuse, molt_test_state,
};
use crate::primitives::{now_ns, relax, sleep_ns};

/// Holds every attempt at one milestone for as long as the parameter `test_hold` names it:
/// 1 tracking, 2 blocking, 3 transferring, 4 prepared. The deadline and an abort end it.
pub(crate) fn hold(milestone: Milestone, attempt: &Attempt) {
    let number = match milestone {
        Milestone::Tracking => 1,
        Milestone::Blocking => 2,
        Milestone::Transferring => 3,
        Milestone::Prepared => 4,
    };
    while held() == number && attempt.is_running() && !attempt.is_past_deadline() {
        sleep_ns(1_000_000);
    }
}

/// Lengthens a closure of a window by as much as the parameter `test_dawdle_us` says, as a
/// host does that takes the processor away. Interrupts are off.
pub(crate) fn dawdle() {
    // SAFETY: A word that root may change at any time.
    let us = unsafe { (&raw const molt_test_dawdle_us).read_volatile() };
    let ns = u64::try_from(us).unwrap_or_default().saturating_mul(1_000);
    let begin_ns = now_ns();
    while now_ns().wrapping_sub(begin_ns) < ns {
        relax();
    }
}

/// Whether transitions are refused at their commit point: the gate, and where there is one the
/// window, then closes and opens with nothing done. Any context.
pub(crate) fn is_refused() -> bool {
    // SAFETY: A word that root may change at any time.
    unsafe { (&raw const molt_test_refuse).read_volatile() }
}

/// Whether an allocation of a transfer has to fail: the parameter `test_fail` has counted down
/// to it.
pub(crate) fn fails() -> bool {
    // SAFETY: A word that is changed by atomic operations here, and by root with a store.
    let left = unsafe { Atomic::from_ptr(&raw mut molt_test_fail) };
    let mut seen = left.load(Relaxed);
    while seen > 0 {
        match left.cmpxchg(seen, seen.wrapping_sub(1), Relaxed) {
            Ok(_) => return seen == 1,
            Err(now) => seen = now,
        }
    }
    false
}

fn held() -> i32 {
    // SAFETY: A word that root may change at any time.
    unsafe { (&raw const molt_test_hold).read_volatile() }
}

/// Whether the state of instances may be shown, byte for byte.
pub fn shows_state() -> bool {
    // SAFETY: As above.
    unsafe { (&raw const molt_test_state).read_volatile() }
}
