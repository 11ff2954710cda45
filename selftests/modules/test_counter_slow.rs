// SPDX-License-Identifier: GPL-2.0

//! Counter, version 4: its init takes `init_ms` milliseconds after the registration, and
//! fails in the end if `fail` is set. Complains if anything of it is used before that.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{delay::fsleep, Delta};
use molt::{State, Transfer};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 4,
    transfers: [Sum1 => Sum, Sum => Sum1],
    statics: [reset(LIVE)],
    init: wait,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter whose init takes long",
    params: {
        init_ms: u32 {
            default: 1000,
            description: "How long the init takes",
        },
        fail: bool {
            default: false,
            description: "Whether the init fails in the end",
        },
    },
}

static LIVE: Atomic<u32> = Atomic::new(0);

fn wait(_module: &'static ThisModule) -> Result<()> {
    fsleep(Delta::from_millis(
        module_parameters::init_ms.value().into(),
    ));
    if module_parameters::fail.value() {
        return Err(ENODEV);
    }
    LIVE.store(1, Relaxed);
    Ok(())
}

fn used() {
    if LIVE.load(Relaxed) == 0 {
        pr_err!("molt-test: used before its init had ended\n");
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
        used();
        Ok(())
    }

    fn commit(old: &mut Sum1, (): ()) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Transfer<Sum> for Sum1 {
    type Prepared = ();

    fn prepare(_old: &Sum) -> Result {
        Ok(())
    }

    fn commit(old: &mut Sum, (): ()) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl molt::Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        used();
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}

impl Counter for Sum {
    fn add(&self, n: u64) -> u64 {
        used();
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        used();
        self.total.load(Relaxed)
    }
}
