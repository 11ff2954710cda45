// SPDX-License-Identifier: GPL-2.0

//! Counter, version 5, of another interface under the same name. It cannot be loaded where
//! there is a class `counter`.

#![deny(unsafe_code)]

use kernel::prelude::*;
use molt::State;

#[path = "counter/narrow.rs"]
mod narrow;
use narrow::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 5,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter of another interface",
}

#[derive(State)]
struct Sum {
    total: u64,
}

impl molt::Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self { total: start })
    }
}

impl Counter for Sum {
    fn add(&self, n: u32) -> u64 {
        self.total.wrapping_add(n.into())
    }

    fn total(&self) -> u64 {
        self.total
    }
}
