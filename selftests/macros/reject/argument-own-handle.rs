// SPDX-License-Identifier: GPL-2.0

//! The fingerprint of an interface cannot depend on itself.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: molt::Handle<dyn Store>);
}
