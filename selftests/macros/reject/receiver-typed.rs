// SPDX-License-Identifier: GPL-2.0

//! A handle has no `Arc` of the object.

use kernel::sync::Arc;

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(self: Arc<Self>, value: u64);
}
