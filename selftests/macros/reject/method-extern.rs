// SPDX-License-Identifier: GPL-2.0

//! Calls go through a table of Rust functions.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    extern "C" fn put(&self, value: u64);
}
