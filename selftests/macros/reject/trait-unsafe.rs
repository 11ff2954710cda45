// SPDX-License-Identifier: GPL-2.0

//! Client modules contain no `unsafe`.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub unsafe trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
