// SPDX-License-Identifier: GPL-2.0

//! A method generic over a constant would need a table entry per value.

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put<const N: usize>(&self, value: [u8; N]);
}
