// SPDX-License-Identifier: GPL-2.0

//! Names and classes for the locks of states that were moved.
//!
//! A lock refers to a name and to a class key for as long as it lives. Those with which an
//! author's code made it go with that module; a lock that was moved has these instead.

use core::pin::Pin;

use kernel::str::CStr;
use kernel::sync::LockClassKey;

/// How many classes there are: lockdep tells fields apart by them.
const CLASSES: usize = 64;

static KEYS: [LockClassKey; CLASSES] = [const {
    // SAFETY: In a static, which does not move and is not dropped.
    unsafe { LockClassKey::new_static() }
}; CLASSES];

/// Name and class for the lock that is part number `part` of its state. In text of `molt.ko`,
/// whoever calls it.
#[inline(never)]
pub fn class(part: usize) -> (&'static CStr, Pin<&'static LockClassKey>) {
    let [first, ..] = &KEYS;
    (
        c"molt_state",
        Pin::static_ref(KEYS.get(part % CLASSES).unwrap_or(first)),
    )
}
