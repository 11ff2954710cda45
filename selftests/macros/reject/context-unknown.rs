// SPDX-License-Identifier: GPL-2.0

//! There are two contexts.

/// An interface.
#[molt::interface(name = "store", context = process)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
