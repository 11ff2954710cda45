// SPDX-License-Identifier: GPL-2.0

//! A `&'static` is as wrong deep inside of a type.

use kernel::prelude::*;

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> Result<Option<(u64, KVec<&'static CStr>)>>;
}
