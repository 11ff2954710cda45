// SPDX-License-Identifier: GPL-2.0

//! The interface of all modules here, and the state that the others take over.

use kernel::prelude::*;
use kernel::str::CString;
use molt::Movable;

/// Nothing is ever called.
#[molt::interface(name = "place", context = sleepable, create(value: u64, name: CString))]
pub trait Place {
    /// The value.
    fn value(&self) -> u64;
}

/// An element, with a box of its own.
#[derive(Movable)]
pub struct Row {
    /// In memory of its own.
    pub key: KBox<u32>,
    /// Beside it.
    pub weight: u16,
}
