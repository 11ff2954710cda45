// SPDX-License-Identifier: GPL-2.0

//! A pair: a field cannot go back.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { #[state(irreversible)] second: u16, } }
