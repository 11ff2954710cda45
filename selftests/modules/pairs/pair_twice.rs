// SPDX-License-Identifier: GPL-2.0

//! A pair: two fields are made from one.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { {
    #[state(renamed = "first")] one: u16,
    #[state(renamed = "first")] other: u16,
} }
