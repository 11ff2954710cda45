// SPDX-License-Identifier: GPL-2.0

//! A key can be given once.

/// An interface.
#[molt::interface(name = "store", name = "shop", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
