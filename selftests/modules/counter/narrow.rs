// SPDX-License-Identifier: GPL-2.0

//! What somebody else takes for the interface `counter`: `add` takes a `u32`.

/// Counts up.
#[molt::interface(name = "counter", context = sleepable, create(start: u64))]
pub(crate) trait Counter {
    /// Adds `n`; returns the new total.
    fn add(&self, n: u32) -> u64;

    /// Returns the total.
    fn total(&self) -> u64;
}
