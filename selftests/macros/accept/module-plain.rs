// SPDX-License-Identifier: GPL-2.0

//! A module with the fields that must be there.

use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
};
use molt::{Implementation, State};

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

molt::module! { class: "counter", implementation: Sum, version: 1, license: "GPL" }
