// SPDX-License-Identifier: GPL-2.0

//! A pair: what a lazy update can move, which are locks and what cannot fail.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, Mutex};
use molt::State;

#[allow(dead_code, unused_macros, reason = "a pair needs part of it")]
mod base;
use base::interface::{Check, Corpus, Ledger, Seen};

molt::module! {
    class: "pairs",
    implementation: Pair,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: the new half of a pair of states, which is made lazily",
}

#[derive(State)]
#[state(
    dropped(outer),
    dropped(option),
    dropped(kind),
    dropped(choice),
    dropped(list),
    dropped(generic),
    dropped(handle),
    dropped(vector),
    dropped(tree),
    dropped(vast),
    dropped(pair),
    dropped(first),
    dropped(second),
    dropped(shared),
    dropped(name)
)]
#[pin_data]
struct Pair {
    /// What was a number is behind a lock now.
    #[pin]
    #[state(convert(u64 => half))]
    width: Mutex<(u64, u64)>,
    #[pin]
    lock: Mutex<u32>,
    total: u64,
    #[pin]
    #[state(default = 3)]
    fresh: Mutex<u64>,
    #[state(convert(reads: Atomic<u32> => widen))]
    counts: Atomic<u64>,
}

fn half(number: u64) -> (u64, u64) {
    (number, number / 2)
}

fn widen(reads: Atomic<u32>) -> Atomic<u64> {
    Atomic::new(reads.load(Relaxed).into())
}

impl molt::Implementation<dyn Corpus> for Pair {
    fn create(_: (Arc<Ledger>, u64)) -> impl PinInit<Self, Error> {
        Err::<Self, _>(kernel::error::code::EOPNOTSUPP)
    }
}

impl Corpus for Pair {
    fn check(&self, case: u32, trips: u32) -> Option<Seen> {
        let mut check = Check::new(self.total, trips);
        let mut width = self.width.lock();
        check.is(*width == half(self.total) && *self.lock.lock() == 1);
        check.is(*self.fresh.lock() == 3 && self.counts.load(Relaxed) == 1);
        // It can be written, too.
        *width = half(self.total);
        (case == 0).then(|| check.end())
    }

    fn name(&self, case: u32) -> Option<CString> {
        (case == 0).then(|| CString::try_from_fmt(fmt!("new")).ok())?
    }
}
