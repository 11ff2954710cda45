// SPDX-License-Identifier: GPL-2.0

//! An unknown key is answered with the known ones.

/// An interface.
#[molt::interface(name = "store", context = sleepable, version = 2)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
