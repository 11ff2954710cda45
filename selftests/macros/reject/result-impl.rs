// SPDX-License-Identifier: GPL-2.0

//! Each version would return a type of its own.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> impl Iterator<Item = u64>;
}
