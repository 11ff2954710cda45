// SPDX-License-Identifier: GPL-2.0

//! The object could leave a text of its module in the caller's variable.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: &mut &'static str);
}
