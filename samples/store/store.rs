// SPDX-License-Identifier: GPL-2.0

//! The interface. Implementations and callers include this file alike.

use kernel::prelude::*;
use kernel::str::CString;

/// Keeps numbers under numbers.
#[molt::interface(name = "store", context = sleepable, create(name: CString))]
pub trait Store {
    /// Keeps `value` under `key`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `ENOSPC`: there is a limit, and it is reached.
    fn put(&self, key: u32, value: u32) -> Result<()>;

    /// What is kept under `key`. May sleep.
    fn get(&self, key: u32) -> Option<u64>;

    /// How often `get` was called.
    fn lookups(&self) -> u64;
}
