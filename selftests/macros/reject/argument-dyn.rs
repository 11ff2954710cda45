// SPDX-License-Identifier: GPL-2.0

//! A `dyn` carries its table of functions along.

use kernel::prelude::*;

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: KBox<dyn Send>);
}
