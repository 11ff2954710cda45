// SPDX-License-Identifier: GPL-2.0

//! A pair: a part that has not changed cannot go back.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Movable;

mod base;

base::pair! { { outer: Outer, } }

#[derive(Movable)]
struct Outer {
    middle: Middle,
}

#[derive(Movable)]
struct Middle {
    inner: [Inner; 2],
}

#[derive(Movable)]
#[state(irreversible)]
struct Inner {
    value: u64,
}
