// SPDX-License-Identifier: GPL-2.0

//! A receiver with a lifetime serves to borrow results from it.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&'static self, value: u64);
}
