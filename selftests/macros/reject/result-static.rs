// SPDX-License-Identifier: GPL-2.0

//! A text in the constants of a version goes away with it.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> &'static str;
}
