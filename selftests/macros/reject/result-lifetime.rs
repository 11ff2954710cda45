// SPDX-License-Identifier: GPL-2.0

//! A type with a lifetime is a reference under another name.

/// A reference.
pub struct Borrowed<'a>(pub &'a u64);

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> Borrowed<'_>;
}
