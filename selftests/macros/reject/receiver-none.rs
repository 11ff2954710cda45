// SPDX-License-Identifier: GPL-2.0

//! Without an object there is nothing to look the code up in.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(value: u64);
}
