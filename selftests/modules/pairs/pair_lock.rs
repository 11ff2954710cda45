// SPDX-License-Identifier: GPL-2.0

//! A pair: what is behind a lock has changed.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::sync::Mutex;

mod base;

base::pair! { { lock: Mutex<[u8; 4]>, } }
