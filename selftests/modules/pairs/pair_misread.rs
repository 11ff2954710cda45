// SPDX-License-Identifier: GPL-2.0

//! A pair: a conversion is from another type than there is.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { #[state(convert(u16 => widen))] width: u32, } }

fn widen(number: u16) -> u32 {
    number.into()
}
