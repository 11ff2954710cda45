// SPDX-License-Identifier: GPL-2.0

//! Counter, version 1: keeps a total.
//!
//! Purpose: the least that a module which can be replaced consists of. It says which class
//! it serves, what the state of an instance is, how an instance begins, and what the methods
//! do. It says nothing about updates: the next version does.
//!
//! Usage:
//!
//! ```text
//! # modprobe molt_control
//! # modprobe counter_v1
//! # cat /sys/kernel/molt/classes/counter/implementation
//! Sum
//! ```
//!
//! A class is ended by hand: `echo 1 > /sys/kernel/molt/classes/counter/remove`, once it has
//! no instances. Until then `rmmod` of the module that serves it is refused.
//!
//! How to make it fail: `rmmod counter_v1` while it serves the class; or copy this file to
//! `counter_twin.rs` and insert both: the second registration is refused (`EEXIST`).

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[path = "counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a counter, version 1",
}

#[derive(State)]
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
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
