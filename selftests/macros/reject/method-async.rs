// SPDX-License-Identifier: GPL-2.0

//! A future would outlive the call that made it.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    async fn put(&self, value: u64);
}
