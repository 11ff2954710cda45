// SPDX-License-Identifier: GPL-2.0

//! What `counter_v1` does, in an atomic class.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[path = "atomic.rs"]
mod atomic;
use atomic::AtomicCounter;

molt::module! {
    class: "bench_atomic",
    implementation: Sum,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt benchmark: a counter of an atomic class",
}

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
}

impl molt::Implementation<dyn AtomicCounter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}

impl AtomicCounter for Sum {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
