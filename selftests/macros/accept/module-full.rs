// SPDX-License-Identifier: GPL-2.0

//! A module with all fields, in an order of its own.

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

molt::module! {
    license: "GPL",
    name: "full_counter",
    init: start,
    params: {
        quiet: u8 {
            default: 0,
            description: "Say nothing",
        },
    },
    version: 2,
    class: "counter",
    implementation: Sum,
    alias: ["counter"],
    description: "Counter",
    authors: ["Somebody", "Somebody else"],
}

fn start(_: &'static ThisModule) -> Result<Greeting> {
    let greeting = Greeting;
    if module_parameters::quiet.value() == 0 {
        pr_info!("ready\n");
    }
    Ok(greeting)
}

struct Greeting;

impl Drop for Greeting {
    fn drop(&mut self) {
        pr_info!("gone\n");
    }
}
