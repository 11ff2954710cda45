// SPDX-License-Identifier: GPL-2.0

//! Counter, version 1: keeps a total.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[path = "counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a counter, version 1",
}

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
}

impl molt::Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self { total: Atomic::new(start) })
    }
}

impl Counter for Sum {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
