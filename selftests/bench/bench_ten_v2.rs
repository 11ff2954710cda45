// SPDX-License-Identifier: GPL-2.0

//! A counter with a state of ten fields, in another order: six that were there, a new one, one
//! of another type, one behind a lock, and one with memory of its own.

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
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt benchmark: a state of ten fields",
}

#[pin_data]
#[derive(State)]
#[repr(C)]
struct Ten {
    is_open: bool,
    total: Atomic<u64>,
    limit: u32,
    #[state(default = 1)]
    generation: u32,
    born: u64,
    calls: Atomic<u32>,
    #[state(convert(u32 => widen, back = narrow))]
    weight: u64,
    name: [u8; 16],
    #[pin]
    last: Mutex<u64>,
    samples: KVec<u64>,
}

fn widen(weight: u32) -> u64 {
    weight.into()
}

fn narrow(weight: u64) -> u32 {
    weight as u32
}

impl molt::Implementation<dyn Counter> for Ten {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            is_open: true,
            total: Atomic::new(start),
            limit: 1000,
            generation: 0,
            born: start,
            calls: Atomic::new(0),
            weight: 7,
            name: *b"one of a thousan",
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
