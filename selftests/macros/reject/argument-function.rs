// SPDX-License-Identifier: GPL-2.0

//! The object could keep the function longer than the module lives.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: fn(u64) -> u64);
}
