// SPDX-License-Identifier: GPL-2.0

//! A counter that damages its own state, and from which some calls never return.
//!
//! The first `spoil` calls of `add` that add something leave a total that does not fit its
//! check. A call that adds nothing stays until its task is killed.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{delay::fsleep, Delta};
use molt::State;

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Damaged,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter that damages its state",
    params: {
        spoil: u64 {
            default: 0,
            description: "How many calls damage the state",
        },
    },
}

static SPOILED: Atomic<u64> = Atomic::new(0);

#[derive(State)]
struct Damaged {
    total: Atomic<u64>,
    /// The complement of the total, in a sound state.
    check: Atomic<u64>,
}

impl molt::Implementation<dyn Counter> for Damaged {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start),
            check: Atomic::new(!start)
        })
    }
}

impl Counter for Damaged {
    fn add(&self, n: u64) -> u64 {
        if n == 0 {
            while !current!().signal_pending() {
                fsleep(Delta::from_millis(400));
            }
        }
        let total = self.total.fetch_add(n, Relaxed).wrapping_add(n);
        self.check.fetch_sub(n, Relaxed);
        if n != 0 && SPOILED.fetch_add(1, Relaxed) < module_parameters::spoil.value() {
            self.check.store(0xdead, Relaxed);
        }
        total
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
