// SPDX-License-Identifier: GPL-2.0

//! The object may be replaced while the caller has the reference.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> &u64;
}
