// SPDX-License-Identifier: GPL-2.0

//! A counter that wants something done before and after an update to it, and says in the log
//! what was. It takes over `Sum@1`; with `refuse=1` what comes before fails.

#![deny(unsafe_code)]

use kernel::error::code::EDOM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{delay::fsleep, Delta, Instant, Monotonic};
use molt::{Callback, Convert, State};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Told,
    version: 1,
    transfers: [Sum => Told, Told => Sum],
    callbacks: Told,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter with callbacks",
    params: {
        refuse: u8 {
            default: 0,
            description: "Whether what comes before an update fails",
        },
        after_ms: u32 {
            default: 0,
            description: "How long what comes after an update takes",
        },
        convert_us: u32 {
            default: 0,
            description: "How long each instance takes",
        },
    },
}

/// What `counter_v1` keeps.
#[derive(State)]
#[state(name = "Sum", version = 1)]
struct Sum {
    total: Atomic<u64>,
}

#[derive(State)]
struct Told {
    total: Atomic<u64>,
}

impl Callback for Told {
    fn before() -> Result {
        pr_info!("before\n");
        match module_parameters::refuse.value() {
            0 => Ok(()),
            _ => Err(EDOM),
        }
    }

    fn undo() {
        pr_info!("undo\n");
    }

    fn after() {
        pr_info!("after\n");
        fsleep(Delta::from_millis(
            module_parameters::after_ms.value().into(),
        ));
    }
}

impl Convert<Sum> for Told {
    fn convert(old: &mut Sum) -> Self {
        let delay = Delta::from_micros(module_parameters::convert_us.value().into());
        let begin = Instant::<Monotonic>::now();
        while begin.elapsed() < delay {}
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Convert<Told> for Sum {
    fn convert(old: &mut Told) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl molt::Implementation<dyn Counter> for Told {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}

impl Counter for Told {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
