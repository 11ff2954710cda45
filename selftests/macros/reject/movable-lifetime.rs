// SPDX-License-Identifier: GPL-2.0

//! What is borrowed can go away with a module.

/// Borrows.
#[derive(molt::Movable)]
pub struct Label<'a> {
    text: &'a str,
}
