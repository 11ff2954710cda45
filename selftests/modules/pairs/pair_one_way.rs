// SPDX-License-Identifier: GPL-2.0

//! A pair: a conversion leads one way.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { #[state(convert(u64 => narrow))] width: u32, } }

fn narrow(number: u64) -> u32 {
    number as u32
}
