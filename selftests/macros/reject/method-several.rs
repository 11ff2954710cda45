// SPDX-License-Identifier: GPL-2.0

//! All refusals of an interface are told at once.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&mut self);

    /// Another one.
    fn get(&self) -> &'static str;
}
