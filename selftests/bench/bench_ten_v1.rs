// SPDX-License-Identifier: GPL-2.0

//! A counter with a state of nine fields.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Mutex;
use molt::State;

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Ten,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt benchmark: a state of nine fields",
}

#[pin_data]
#[derive(State)]
struct Ten {
    total: Atomic<u64>,
    calls: Atomic<u32>,
    limit: u32,
    name: [u8; 16],
    is_open: bool,
    born: u64,
    weight: u32,
    #[pin]
    last: Mutex<u64>,
    samples: KVec<u64>,
}

impl molt::Implementation<dyn Counter> for Ten {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            total: Atomic::new(start),
            calls: Atomic::new(0),
            limit: 1000,
            name: *b"one of a thousan",
            is_open: true,
            born: start,
            weight: 7,
            last <- kernel::new_mutex!(start, "bench_ten"),
            samples: KVec::from_elem(start, 4, GFP_KERNEL)?,
        })
    }
}

impl Counter for Ten {
    fn add(&self, n: u64) -> u64 {
        *self.last.lock() = n;
        self.calls.fetch_add(1, Relaxed);
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
