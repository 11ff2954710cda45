// SPDX-License-Identifier: GPL-2.0

//! A type that contains itself, by way of a box.

use kernel::prelude::*;

/// A tree.
#[derive(molt::Movable)]
pub struct Node {
    left: Option<KBox<Node>>,
    right: Option<KBox<Self>>,
}

/// A list.
#[derive(molt::Movable)]
pub enum List<T> {
    /// The end.
    End,
    /// An element.
    Next(T, KBox<List<T>>),
}
