// SPDX-License-Identifier: GPL-2.0

//! Hues, version 2: the fields lie in another order and there is one more. Both directions.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Convert, State};

#[derive(State)]
#[state(name = "Hue", version = 1)]
pub(crate) struct Hue1 {
    mark: u64,
    total: Atomic<u64>,
}

#[derive(State)]
pub(crate) struct Hue {
    pub(crate) total: Atomic<u64>,
    moves: u64,
    mark: u64,
}

impl Convert<Hue1> for Hue {
    fn convert(old: &mut Hue1) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
            moves: 1,
            mark: old.mark + 1,
        }
    }
}

impl Convert<Hue> for Hue1 {
    fn convert(old: &mut Hue) -> Self {
        Self {
            mark: old.mark - 1,
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Hue {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start),
            moves: 0,
            mark: 2
        })
    }

    /// Counts a call; returns this version's bit, or all of them if the state is another's.
    pub(crate) fn hue(&self) -> u32 {
        self.total.fetch_add(1, Relaxed);
        if self.mark == 2 {
            2
        } else {
            u32::MAX
        }
    }
}
