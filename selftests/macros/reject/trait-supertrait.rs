// SPDX-License-Identifier: GPL-2.0

//! Methods of a supertrait would not go through the handle.

/// Another trait.
pub trait Parent {}

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store: Send + Parent {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
