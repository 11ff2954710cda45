// SPDX-License-Identifier: GPL-2.0

//! A pair: an atomic is wider.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::sync::atomic::Atomic;

mod base;

base::pair! { { reads: Atomic<u64>, } }
