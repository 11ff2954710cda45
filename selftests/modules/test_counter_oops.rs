// SPDX-License-Identifier: GPL-2.0

//! Counter, version 13: a call that adds nothing stays inside until there is a signal for its task,
//! and then reads from address 8: the kernel ends the task there.

use core::arch::asm;

use kernel::current;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::delay::fsleep;
use kernel::time::Delta;
use molt::State;

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 13,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter with a call that oopses",
}

#[derive(State)]
#[state(from = "Sum@1")]
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
        if n == 0 {
            while !current!().signal_pending() {
                fsleep(Delta::from_millis(100));
            }
            let read: u64;
            // By an instruction that no checker has put its own before.
            // SAFETY: There is none: this is the fault that the test is about.
            unsafe { asm!("mov {}, [{}]", out(reg) read, in(reg) 8u64) };
            return read;
        }
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
