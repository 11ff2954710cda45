// SPDX-License-Identifier: GPL-2.0

//! What `counter_v2` does, in an atomic class.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Convert, State};

#[path = "atomic.rs"]
mod atomic;
use atomic::AtomicCounter;

molt::module! {
    class: "bench_atomic",
    implementation: Sum,
    version: 2,
    transfers: [Sum1 => Sum, Sum => Sum1],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt benchmark: a counter of an atomic class that counts its calls, too",
}

/// What `bench_atomic_v1` keeps.
#[derive(State)]
#[state(name = "Sum", version = 1)]
struct Sum1 {
    total: Atomic<u64>,
}

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
    calls: Atomic<u64>,
}

impl Convert<Sum1> for Sum {
    fn convert(old: &mut Sum1) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
            calls: Atomic::new(0),
        }
    }
}

impl Convert<Sum> for Sum1 {
    fn convert(old: &mut Sum) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl molt::Implementation<dyn AtomicCounter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start),
            calls: Atomic::new(0)
        })
    }
}

impl AtomicCounter for Sum {
    fn add(&self, n: u64) -> u64 {
        self.calls.fetch_add(1, Relaxed);
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
