// SPDX-License-Identifier: GPL-2.0

//! Hues, version 3: the transfer refuses one instance.

use kernel::error::code::EDOM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{State, Transfer};

#[derive(State)]
#[state(name = "Hue", version = 1)]
pub(crate) struct Hue1 {
    mark: u64,
    total: Atomic<u64>,
}

#[derive(State)]
pub(crate) struct Hue {
    mark: u64,
    pub(crate) total: Atomic<u64>,
}

impl Transfer<Hue1> for Hue {
    type Prepared = ();

    fn prepare(_old: &Hue1) -> Result {
        if super::is_refused() {
            return Err(EDOM);
        }
        Ok(())
    }

    fn commit(old: &mut Hue1, (): ()) -> Self {
        Self {
            mark: old.mark + 2,
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Hue {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            mark: 3,
            total: Atomic::new(start)
        })
    }

    /// Counts a call; returns this version's bit, or all of them if the state is another's.
    pub(crate) fn hue(&self) -> u32 {
        self.total.fetch_add(1, Relaxed);
        if self.mark == 3 {
            4
        } else {
            u32::MAX
        }
    }
}
