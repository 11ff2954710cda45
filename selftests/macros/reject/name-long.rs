// SPDX-License-Identifier: GPL-2.0

//! A name becomes part of the name of a module, which has a limit.

/// An interface.
#[molt::interface(name = "a-name-of-more-characters-than-a-kernel-module-can-have0", context = atomic)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);
}
