// SPDX-License-Identifier: GPL-2.0

//! A pair: a field was dropped, and nothing says what it is on the way back.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;

base::pair! { { } }
