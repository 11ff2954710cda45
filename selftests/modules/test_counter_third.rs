// SPDX-License-Identifier: GPL-2.0

//! Counter, version 12: knows how to take over from version 2, and of no other. Says when an
//! instance of it has come to its end.

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
    version: 12,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter that follows version 2",
}

#[derive(State)]
#[state(from = "Sum@2")]
struct Sum {
    #[state(default = 12)]
    mark: u64,
    #[state(renamed = "total")]
    sum: Atomic<u64>,
    #[state(convert(calls: Atomic<u64> => whole, back = atomic))]
    moves: u64,
}

fn whole(calls: Atomic<u64>) -> u64 {
    calls.load(Relaxed)
}

fn atomic(moves: u64) -> Atomic<u64> {
    Atomic::new(moves)
}

impl molt::Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            mark: 12,
            sum: Atomic::new(start),
            moves: 0,
        })
    }

    fn closed(&self) {
        pr_info!("molt-test: closed at {}\n", self.total());
    }
}

impl Counter for Sum {
    fn add(&self, n: u64) -> u64 {
        self.sum.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.sum.load(Relaxed)
    }
}
