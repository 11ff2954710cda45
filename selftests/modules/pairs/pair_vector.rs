// SPDX-License-Identifier: GPL-2.0

//! A pair: the elements of a vector have a new field.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::alloc::KVec;
use molt::Movable;

mod base;

base::pair! { { vector: KVec<Inner>, } }

#[derive(Movable)]
struct Inner {
    value: u64,
    more: bool,
}
