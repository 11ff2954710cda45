// SPDX-License-Identifier: GPL-2.0

//! Which code runs is not known to the compiler.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    const fn put(&self, value: u64);
}
