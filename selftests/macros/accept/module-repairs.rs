// SPDX-License-Identifier: GPL-2.0

//! A module that repairs another version's states, with callbacks around updates.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Callback, Implementation, Repair, State};

/// Counts.
#[molt::interface(name = "counter", context = atomic, create(start: u64))]
pub trait Counter {
    /// Returns the total.
    fn total(&self) -> u64;
}

#[derive(State)]
#[state(name = "Sum", version = 1)]
struct Sum1 {
    total: Atomic<u64>,
}

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
}

impl Repair<Sum1> for Sum {
    fn salvage(old: &Sum1) -> Option<Self> {
        let total = old.total.load(Relaxed);
        (total != u64::MAX).then_some(Self {
            total: Atomic::new(total),
        })
    }

    fn rebuild(id: u64, key: Option<u64>) -> Self {
        Self {
            total: Atomic::new(key.unwrap_or(id)),
        }
    }
}

impl Callback for Sum {
    fn before() -> Result {
        Ok(())
    }
}

impl Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}

impl Counter for Sum {
    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 2,
    repairs: [Sum1 => Sum],
    callbacks: Sum,
    license: "GPL",
}
