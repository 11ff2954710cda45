// SPDX-License-Identifier: GPL-2.0

//! A lifetime parameter has no use without borrowed results.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put<'a>(&self, value: &'a u8);
}
