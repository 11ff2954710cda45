// SPDX-License-Identifier: GPL-2.0

//! Counter, version 13: a call that adds nothing reads from address 8, and the kernel ends its
//! task.

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
    description: "Molt test: a counter with a call that oopses",
}

#[derive(State)]
#[state(from = "Sum@1")]
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
        if n == 0 {
            // Not null, of which Rust's own assertions would complain first.
            // SAFETY: There is none: this is the fault that the test is about.
            return unsafe { core::ptr::without_provenance::<u64>(8).read_volatile() };
        }
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
