// SPDX-License-Identifier: GPL-2.0

//! A counter that repairs what `test_counter_damaged` has left: sound totals are saved, all
//! others begin at nought. It can take sound states over as well, in an ordinary update.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Convert, Repair, State};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Mended,
    version: 1,
    transfers: [Damaged => Mended, Mended => Damaged],
    repairs: [Damaged => Mended],
    statics: [reset(SPOILED)],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a counter that repairs",
}

#[derive(State)]
#[state(name = "Damaged", version = 1)]
struct Damaged {
    total: Atomic<u64>,
    check: Atomic<u64>,
}

#[derive(State)]
struct Mended {
    total: Atomic<u64>,
}

impl Repair<Damaged> for Mended {
    fn salvage(old: &Damaged) -> Option<Self> {
        let total = old.total.load(Relaxed);
        (old.check.load(Relaxed) == !total).then_some(Self {
            total: Atomic::new(total),
        })
    }

    fn rebuild(_id: u64, _key: Option<u64>) -> Self {
        Self {
            total: Atomic::new(0),
        }
    }
}

impl Convert<Damaged> for Mended {
    fn convert(old: &mut Damaged) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
        }
    }
}

impl Convert<Mended> for Damaged {
    fn convert(old: &mut Mended) -> Self {
        let total = old.total.load(Relaxed);
        Self {
            total: Atomic::new(total),
            check: Atomic::new(!total),
        }
    }
}

impl molt::Implementation<dyn Counter> for Mended {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start)
        })
    }
}

impl Counter for Mended {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
