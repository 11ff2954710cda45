// SPDX-License-Identifier: GPL-2.0

//! A state is taken over field by field.

/// Either.
#[derive(molt::State)]
pub enum Store {
    /// Nothing.
    Empty,
    /// A number.
    Full(u64),
}
