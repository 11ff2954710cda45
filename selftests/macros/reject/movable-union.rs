// SPDX-License-Identifier: GPL-2.0

//! Nobody can tell which field of a union is in use.

/// Either.
#[derive(molt::Movable)]
pub union Either {
    number: u64,
    bytes: [u8; 8],
}
