// SPDX-License-Identifier: GPL-2.0

//! The object outlives what the argument is borrowed from.

/// An interface.
#[molt::interface(name = "store", context = atomic, create(label: &str))]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
