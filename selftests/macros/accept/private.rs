// SPDX-License-Identifier: GPL-2.0

//! An interface need not be public.

#[molt::interface(name = "private", context = sleepable, create(start: u64))]
trait Private {
    fn add(&self, n: u64) -> u64;
}

/// An interface of the crate.
#[molt::interface(name = "restricted", context = sleepable)]
pub(crate) trait Restricted {
    fn add(&self, n: u64) -> u64;
}

/// Uses both.
pub fn add() -> impl Fn(u64) -> u64 {
    fn both(one: &dyn Private, other: &dyn Restricted, n: u64) -> u64 {
        one.add(other.add(n))
    }
    |n| both(&Identity, &Identity, n)
}

struct Identity;

impl Private for Identity {
    fn add(&self, n: u64) -> u64 {
        n
    }
}

impl Restricted for Identity {
    fn add(&self, n: u64) -> u64 {
        n
    }
}
