// SPDX-License-Identifier: GPL-2.0

//! Client modules contain no `unsafe`.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    unsafe fn put(&self, value: u64);
}
