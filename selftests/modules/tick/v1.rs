// SPDX-License-Identifier: GPL-2.0

//! Ticks, version 1.

use kernel::prelude::*;
use kernel::sync::atomic::Atomic;
use molt::State;

#[derive(State)]
pub(crate) struct Plain {
    pub(crate) total: Atomic<u64>,
}

impl Plain {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}
