// SPDX-License-Identifier: GPL-2.0

//! Ticks, version 3: a transfer that can fail, which a class of atomic context must not have.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{State, Transfer};

#[derive(State)]
#[state(name = "Plain", version = 1)]
pub(crate) struct Plain1 {
    total: Atomic<u64>,
}

#[derive(State)]
pub(crate) struct Plain {
    pub(crate) total: Atomic<u64>,
}

impl Transfer<Plain1> for Plain {
    type Prepared = ();

    fn prepare(_old: &Plain1) -> Result {
        pr_err!("molt-test: a transfer began that must not\n");
        Ok(())
    }

    fn commit(old: &mut Plain1, (): ()) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Plain {
    pub(crate) fn new(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}
