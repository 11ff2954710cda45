// SPDX-License-Identifier: GPL-2.0

//! A pair: a vector that is moved whole has other elements.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::alloc::KVVec;

mod base;

base::pair! { { vast: KVVec<(u32, u32)>, } }
