// SPDX-License-Identifier: GPL-2.0

//! A macro hides what the type is.

macro_rules! concealed {
    () => {
        u64
    };
}

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn put(&self, value: concealed!());
}
