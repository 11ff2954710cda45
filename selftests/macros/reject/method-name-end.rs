// SPDX-License-Identifier: GPL-2.0

//! A handle has methods of its own, and `end` takes it.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn end(&self) -> u64;
}
