// SPDX-License-Identifier: GPL-2.0

//! A pair: a conversion keeps the type, and could be done twice.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { #[state(convert(u64 => double))] width: u64, } }

fn double(number: u64) -> u64 {
    number * 2
}
