// SPDX-License-Identifier: GPL-2.0

//! Counter, version 14: a rule that takes states of version 1 over reads from address 8, and the
//! kernel ends the task there. `at` says which: 1 `prepare`, 2 `commit`.

use core::arch::asm;

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{State, Transfer};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 14,
    transfers: [Sum1 => Sum],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter with a rule that oopses",
    params: {
        at: u32 {
            default: 1,
            description: "Which rule: 1 prepare, 2 commit",
        },
    },
}

fn die(at: u32) {
    if module_parameters::at.value() == at {
        // By an instruction that no checker has put its own before.
        // SAFETY: There is none: this is the fault that the test is about.
        unsafe { asm!("mov {}, [{}]", out(reg) _, in(reg) 8u64) };
    }
}

#[derive(State)]
#[state(name = "Sum", version = 1)]
struct Sum1 {
    total: Atomic<u64>,
}

#[derive(State)]
struct Sum {
    total: Atomic<u64>,
}

impl Transfer<Sum1> for Sum {
    type Prepared = ();

    fn prepare(_old: &Sum1) -> Result {
        die(1);
        Ok(())
    }

    fn commit(old: &mut Sum1, (): ()) -> Self {
        die(2);
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
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
