// SPDX-License-Identifier: GPL-2.0

//! A pair: an enum without a fixed tag has a variant more, with a number that another one had.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Movable;

mod base;

base::pair! { { choice: Choice, } }

#[derive(Movable)]
enum Choice {
    Number(u32),
    Text([u8; 4]),
    Nothing,
}
