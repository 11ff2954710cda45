// SPDX-License-Identifier: GPL-2.0

//! The interface of the counter samples.
//!
//! Implementers and callers include this file alike, with
//! `#[path = "counter.rs"] mod counter;`.

/// Counts up.
#[molt::interface(name = "counter", context = sleepable, create(start: u64))]
pub trait Counter {
    /// Adds `n`; returns the new total.
    fn add(&self, n: u64) -> u64;

    /// Returns the total.
    fn total(&self) -> u64;
}
