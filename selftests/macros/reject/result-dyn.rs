// SPDX-License-Identifier: GPL-2.0

//! A `dyn` of a version goes away with it.

use kernel::prelude::*;

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> Result<KBox<dyn Send>>;
}
