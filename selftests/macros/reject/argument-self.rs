// SPDX-License-Identifier: GPL-2.0

//! `Self` is another type in each version.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: &Self);
}
