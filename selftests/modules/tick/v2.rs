// SPDX-License-Identifier: GPL-2.0

//! Ticks, version 2: a field more, before the other, and both directions.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Convert, State};

#[derive(State)]
#[state(name = "Plain", version = 1)]
pub(crate) struct Plain1 {
    total: Atomic<u64>,
}

#[derive(State)]
pub(crate) struct Plain {
    moves: u64,
    pub(crate) total: Atomic<u64>,
}

impl Convert<Plain1> for Plain {
    fn convert(old: &mut Plain1) -> Self {
        Self {
            moves: 1,
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Convert<Plain> for Plain1 {
    fn convert(old: &mut Plain) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Plain {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            moves: 0,
            total: Atomic::new(start)
        })
    }
}
