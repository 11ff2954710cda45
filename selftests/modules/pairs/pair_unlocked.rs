// SPDX-License-Identifier: GPL-2.0

//! A pair: a lock is no more.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { lock: u32, } }
