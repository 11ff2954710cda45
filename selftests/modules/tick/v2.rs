// SPDX-License-Identifier: GPL-2.0

//! Ticks, version 2: a field more, before the other.

use kernel::prelude::*;
use kernel::sync::atomic::Atomic;
use molt::State;

#[derive(State)]
pub(crate) struct Plain {
    #[state(default = 1)]
    moves: u64,
    pub(crate) total: Atomic<u64>,
}

impl Plain {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            moves: 0,
            total: Atomic::new(start)
        })
    }
}
