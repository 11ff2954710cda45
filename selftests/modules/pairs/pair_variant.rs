// SPDX-License-Identifier: GPL-2.0

//! A pair: a variant is no more.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Movable;

mod base;

base::pair! { { kind: Kind, } }

#[derive(Movable)]
#[repr(u8)]
enum Kind {
    Number(u32),
}
