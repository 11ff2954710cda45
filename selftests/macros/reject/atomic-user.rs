// SPDX-License-Identifier: GPL-2.0

//! Memory of user space cannot be reached where nobody may sleep.

use kernel::uaccess::UserSliceReader;

/// An interface.
#[molt::interface(name = "store", context = atomic)]
pub trait Store {
    /// Keeps a number.
    fn keep(&self, number: u64);

    /// The method in question.
    fn read(&self, from: &mut UserSliceReader);
}
