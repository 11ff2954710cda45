// SPDX-License-Identifier: GPL-2.0

//! A method that only some implementations have cannot be called through a table.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self)
    where
        Self: Send;
}
