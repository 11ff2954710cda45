// SPDX-License-Identifier: GPL-2.0

//! A pair: an enum has a variant that the old version does not know.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Movable;

mod base;

base::pair! { { kind: Kind, } }

#[derive(Movable)]
#[repr(u8)]
enum Kind {
    Number(u32),
    Nothing,
    Everything,
}
