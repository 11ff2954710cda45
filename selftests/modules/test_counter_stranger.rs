// SPDX-License-Identifier: GPL-2.0

//! Counter, version 7: its transfer is for a version that nobody has.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{State, Transfer};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 7,
    transfers: [Known => Sum],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a transfer for another version",
}

/// A version that nobody has.
#[derive(State)]
#[state(name = "Sum", version = 99)]
struct Known {
    total: Atomic<u64>,
}

#[derive(State)]
#[state(from = "Sum@99")]
struct Sum {
    total: Atomic<u64>,
}

impl Transfer<Known> for Sum {
    type Prepared = ();

    fn prepare(_old: &Known) -> Result {
        pr_err!("molt-test: a transfer began that does not fit\n");
        Ok(())
    }

    fn commit(_old: &mut Known, (): ()) -> Self {
        Self {
            total: Atomic::new(0),
        }
    }
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
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
