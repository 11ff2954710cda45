// SPDX-License-Identifier: GPL-2.0

//! A pair: an enum has no fixed tag any more.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Movable;

mod base;

base::pair! { { kind: Kind, } }

#[derive(Movable)]
enum Kind {
    Number(u32),
    Nothing,
}
