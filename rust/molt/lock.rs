// SPDX-License-Identifier: GPL-2.0

//! Names and classes for the locks of states that were moved.
//!
//! A lock refers to a name and to a class key for as long as it lives. Those with which an
//! author's code made it go with that module; a lock that was moved has these instead.
//!
//! Lockdep takes two locks of one class for one lock. So the locks of a state have classes of
//! their own, and those of each class of objects, which may call one another with a lock held.

use core::pin::Pin;

use kernel::str::CStr;
use kernel::sync::LockClassKey;

use crate::fingerprint::Fingerprint;

/// How many classes of objects are told apart.
const GROUPS: usize = 32;

/// How many locks of a state are told apart: a state with more has some twice.
pub(crate) const LOCKS: usize = 32;

/// How many locks are told apart that rules make, whatever they are in.
const MADE: usize = 64;

static KEYS: [LockClassKey; GROUPS * LOCKS + MADE] = [const {
    // SAFETY: In a static, which does not move and is not dropped.
    unsafe { LockClassKey::new_static() }
}; GROUPS * LOCKS + MADE];

/// The locks of the states of one class of objects.
#[derive(Clone, Copy)]
pub(crate) struct Group(usize);

impl Group {
    pub(crate) const fn of(class: &str) -> Self {
        Self::by(Fingerprint::new().text(class).finish())
    }

    /// Where the class is not known: by the fingerprint of the state.
    pub(crate) const fn by(fingerprint: u64) -> Self {
        Self(fingerprint as usize % GROUPS * LOCKS)
    }

    /// The number for [`class`] of lock number `lock` of a state.
    pub(crate) const fn lock(self, lock: usize) -> usize {
        self.0.wrapping_add(lock % LOCKS)
    }
}

/// The number for [`class`] of a lock that a rule makes, whose type is written so.
pub(crate) const fn made(text: &str) -> usize {
    GROUPS * LOCKS + Fingerprint::new().text(text).finish() as usize % MADE
}

/// Name and class for a lock with this number. In text of `molt.ko`, whoever calls it.
#[inline(never)]
pub fn class(number: usize) -> (&'static CStr, Pin<&'static LockClassKey>) {
    let [first, ..] = &KEYS;
    (
        c"molt_state",
        Pin::static_ref(KEYS.get(number).unwrap_or(first)),
    )
}
