// SPDX-License-Identifier: GPL-2.0

//! A pair: the parts of a tuple have changed places.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;
use base::Inner;

base::pair! { { pair: (Inner, u32), } }
