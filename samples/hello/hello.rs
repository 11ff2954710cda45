// SPDX-License-Identifier: GPL-2.0

//! The interface. Implementations and callers include this file alike.

use kernel::str::CString;

/// Greets somebody.
#[molt::interface(name = "hello", context = sleepable, create(name: CString))]
pub trait Hello {
    /// Writes a greeting to the log; returns how many there have been.
    fn greet(&self) -> u64;
}
