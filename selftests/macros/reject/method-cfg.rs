// SPDX-License-Identifier: GPL-2.0

//! Both sides of a call need the same table.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    #[cfg(CONFIG_SMP)]
    fn put(&self, value: u64);
}
