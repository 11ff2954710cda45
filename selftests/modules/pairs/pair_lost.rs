// SPDX-License-Identifier: GPL-2.0

//! A pair: a field is no more, and nothing says that it is dropped.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { without total { width: u64, } }
