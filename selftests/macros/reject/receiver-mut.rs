// SPDX-License-Identifier: GPL-2.0

//! Several callers can be in one object at the same time.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&mut self, value: u64);
}
