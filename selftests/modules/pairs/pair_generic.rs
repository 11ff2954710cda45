// SPDX-License-Identifier: GPL-2.0

//! A pair: the argument of a generic type has changed.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

mod base;
use base::Generic;

base::pair! { { generic: Generic<bool>, } }
