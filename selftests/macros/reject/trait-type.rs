// SPDX-License-Identifier: GPL-2.0

//! A handle does not know the type behind it.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// A type.
    type Item;

    /// Keeps a number.
    fn keep(&self, number: u64);
}
