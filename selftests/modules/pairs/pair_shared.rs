// SPDX-License-Identifier: GPL-2.0

//! A pair: what is shared has changed, and others hold it, too.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::sync::Arc;
use molt::Movable;

mod base;

base::pair! { { shared: Arc<Inner>, } }

#[derive(Movable)]
struct Inner {
    value: u64,
    #[state(default)]
    more: u64,
}
