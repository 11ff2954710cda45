// SPDX-License-Identifier: GPL-2.0

//! Hues, version 1.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[derive(State)]
pub(crate) struct Hue {
    mark: u64,
    pub(crate) total: Atomic<u64>,
}

impl Hue {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            mark: 1,
            total: Atomic::new(start)
        })
    }

    /// Counts a call; returns this version's bit, or all of them if the state is another's.
    pub(crate) fn hue(&self) -> u32 {
        self.total.fetch_add(1, Relaxed);
        if self.mark == 1 {
            1
        } else {
            u32::MAX
        }
    }
}
