// SPDX-License-Identifier: GPL-2.0

//! A name becomes part of an alias and of a path.

/// An interface.
#[molt::interface(name = "Key Store", context = atomic)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
