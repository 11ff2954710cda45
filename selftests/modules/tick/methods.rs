// SPDX-License-Identifier: GPL-2.0

//! What the methods of every version of a tick do.

use super::interface::{Link, Tick};
use super::state::Plain;
use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;
use kernel::time::{delay::udelay, Delta};

impl molt::Implementation<dyn Tick> for Plain {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        Plain::new(start)
    }
}

impl Tick for Plain {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn walk(&self, route: &[Link]) -> u64 {
        let walked = match route {
            [next, rest @ ..] => next.walk(rest),
            [] => 0,
        };
        // Last: if the state has gone meanwhile, which it must not, this is lost.
        self.total.fetch_add(1, Relaxed);
        walked.wrapping_add(1)
    }

    fn spin(&self, ms: u32) {
        for _ in 0..ms {
            udelay(Delta::from_millis(1));
        }
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
