// SPDX-License-Identifier: GPL-2.0

//! A pair: a field has changed that had to stay what it was.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { #[state(keep)] pair: (u32, u64), } }
