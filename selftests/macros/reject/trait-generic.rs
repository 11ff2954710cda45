// SPDX-License-Identifier: GPL-2.0

//! A class serves one interface.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store<T: Send> {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
