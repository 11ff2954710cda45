// SPDX-License-Identifier: GPL-2.0

//! A pair: a variant has another payload.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Movable;

mod base;

base::pair! { { kind: Kind, } }

#[derive(Movable)]
#[repr(u8)]
enum Kind {
    Number(i32),
    Nothing,
}
