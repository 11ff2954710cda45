// SPDX-License-Identifier: GPL-2.0

//! What an alias stands for is seen by the compiler only.

/// Hides a function.
pub type Action = fn(u64);

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, action: &mut Action);
}
