// SPDX-License-Identifier: GPL-2.0

//! A pair: a field is made from one that is not there.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { #[state(renamed = "absent")] fresh: u16, } }
