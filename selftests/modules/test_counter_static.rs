// SPDX-License-Identifier: GPL-2.0

//! Counter, version 13: keeps a sum over all its instances where no schema sees it.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 13,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter with a static",
}

static GRAND_TOTAL: Atomic<u64> = Atomic::new(0);

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
}

impl molt::Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}

impl Counter for Sum {
    fn add(&self, n: u64) -> u64 {
        GRAND_TOTAL.fetch_add(n, Relaxed);
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
