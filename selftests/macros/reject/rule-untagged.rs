// SPDX-License-Identifier: GPL-2.0

//! Rules in enums that are taken whole would not be followed.

/// No tag.
#[derive(molt::Movable)]
pub enum Kind {
    /// A variant.
    #[state(renamed = "Nothing")]
    Empty,
}

/// Its places depend on the argument.
#[derive(molt::Movable)]
#[repr(u8)]
pub enum Choice<T> {
    /// A variant.
    Some(#[state(default)] T),
}
