// SPDX-License-Identifier: GPL-2.0

//! The context cannot be guessed.

/// An interface.
#[molt::interface(name = "store")]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
