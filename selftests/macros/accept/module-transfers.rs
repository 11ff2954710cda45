// SPDX-License-Identifier: GPL-2.0

//! A module that takes over the state of an older version and gives it back.

use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
};
use molt::{transfer::Transfer, Implementation, State};

#[path = "../../../samples/counter.rs"]
mod counter;

use counter::Counter;

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
}

impl Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        init!(Sum {
            total: Atomic::new(start)
        }? Error)
    }
}

impl Counter for Sum {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed) + n
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}

/// What version 1 has.
#[derive(State)]
#[state(name = "Sum", version = 1)]
struct Sum1 {
    total: Atomic<u32>,
}

impl Transfer<Sum1> for Sum {
    type Prepared = u64;

    fn prepare(old: &Sum1) -> Result<u64> {
        Ok(old.total.load(Relaxed).into())
    }

    fn commit(_: &mut Sum1, total: u64) -> Self {
        Sum {
            total: Atomic::new(total),
        }
    }
}

impl Transfer<Sum> for Sum1 {
    type Prepared = u32;

    fn prepare(old: &Sum) -> Result<u32> {
        Ok(old.total.load(Relaxed).try_into()?)
    }

    fn commit(_: &mut Sum, total: u32) -> Self {
        Sum1 {
            total: Atomic::new(total),
        }
    }
}

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 2,
    transfers: [Sum1 => Sum, Sum => Sum1],
    license: "GPL",
}
