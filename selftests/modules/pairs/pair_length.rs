// SPDX-License-Identifier: GPL-2.0

//! A pair: an array is longer.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { list: [u32; 5], } }
