// SPDX-License-Identifier: GPL-2.0

//! A method that does not return holds off every update.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> !;
}
