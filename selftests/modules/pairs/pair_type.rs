// SPDX-License-Identifier: GPL-2.0

//! A pair: a field has the name of another one, of another type.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::alloc::KVec;

mod base;

base::pair! { { name: KVec<u8>, } }
