// SPDX-License-Identifier: GPL-2.0

//! A pair: a field is new, and nothing says how it begins.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { fresh: u32, } }
