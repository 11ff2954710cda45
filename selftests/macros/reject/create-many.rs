// SPDX-License-Identifier: GPL-2.0

//! Arguments of the creation travel in a tuple.

/// An interface.
#[molt::interface(name = "store", context = atomic, create(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8))]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
