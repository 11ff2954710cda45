// SPDX-License-Identifier: GPL-2.0

//! An interface borrows nothing.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store<'a> {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
