// SPDX-License-Identifier: GPL-2.0

//! A pair: the rules are for another version.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { #[state(from = "Pair@7")] { } }
