// SPDX-License-Identifier: GPL-2.0

//! The counter of the samples as a class that may be called from anywhere.

/// Counts up.
#[molt::interface(name = "bench_atomic", context = atomic, create(start: u64))]
pub trait AtomicCounter {
    /// Adds `n`; returns the new total.
    fn add(&self, n: u64) -> u64;

    /// Returns the total.
    fn total(&self) -> u64;
}
