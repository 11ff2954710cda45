// SPDX-License-Identifier: GPL-2.0

//! A text of the caller's constants goes away with the caller.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: &'static str);
}
