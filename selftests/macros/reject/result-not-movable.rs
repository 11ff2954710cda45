// SPDX-License-Identifier: GPL-2.0

//! What a name stands for is seen by the compiler only.

/// Not derived.
pub struct Label(pub &'static str);

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn get(&self) -> Label;
}
