// SPDX-License-Identifier: GPL-2.0

//! A generic method would need a table entry per type.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put<T: Send>(&self, value: T);
}
