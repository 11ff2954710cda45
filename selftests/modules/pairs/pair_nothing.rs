// SPDX-License-Identifier: GPL-2.0

//! A pair: nothing is left of the state.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { without total #[state(dropped(total: u64 = 1))] { } }
