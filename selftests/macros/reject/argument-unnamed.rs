// SPDX-License-Identifier: GPL-2.0

//! Names of arguments are part of the interface.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, _: u64, (low, high): (u32, u32)) {
        let _ = (low, high);
    }
}
