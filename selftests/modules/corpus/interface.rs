// SPDX-License-Identifier: GPL-2.0

//! The interface of the test classes `corpus`, `pairs` and `faults`: states that can be checked,
//! with values that are counted.

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;
use molt::Movable;

/// How many counted values were made and dropped. The client and all instances share one.
#[derive(Movable)]
pub(crate) struct Ledger {
    pub(crate) made: Atomic<u64>,
    pub(crate) dropped: Atomic<u64>,
}

/// A value that counts its end. It has memory of its own, so that a value which is dropped twice
/// does not pass for two.
#[derive(Movable)]
pub(crate) struct Counted {
    number: KBox<u64>,
    ledger: Arc<Ledger>,
}

impl Counted {
    pub(crate) fn new(ledger: &Arc<Ledger>, number: u64) -> Result<Self> {
        let number = KBox::new(number, GFP_KERNEL)?;
        ledger.made.fetch_add(1, Relaxed);
        Ok(Self {
            number,
            ledger: ledger.clone(),
        })
    }

    pub(crate) fn number(&self) -> u64 {
        *self.number
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, Relaxed);
    }
}

/// What a check of one case came to.
#[derive(Movable)]
pub(crate) struct Seen {
    pub(crate) is_right: bool,
    /// Counted values in it.
    pub(crate) counted: u64,
}

/// A check of one case, which its state runs.
pub(crate) struct Check {
    /// What the instance was made with.
    pub(crate) seed: u64,
    /// How many updates it has been through.
    pub(crate) trips: u32,
    seen: Seen,
}

impl Check {
    pub(crate) fn new(seed: u64, trips: u32) -> Self {
        Self {
            seed,
            trips,
            seen: Seen {
                is_right: true,
                counted: 0,
            },
        }
    }

    /// Whether it came by an update, and was not made in this version.
    pub(crate) fn is_moved(&self) -> bool {
        self.trips > 0
    }

    pub(crate) fn is(&mut self, is_so: bool) {
        self.seen.is_right &= is_so;
    }

    /// A counted value has to be there, with this number.
    pub(crate) fn counted(&mut self, one: &Counted, number: u64) {
        self.seen.counted += 1;
        self.is(one.number() == number);
    }

    pub(crate) fn end(self) -> Seen {
        self.seen
    }
}

/// States with a part for each case.
#[molt::interface(name = "corpus", context = sleepable, create(ledger: Arc<Ledger>, seed: u64))]
pub(crate) trait Corpus {
    /// Whether the part for `case` has the values that it has to have after so many updates;
    /// [`None`]: there is no such case.
    fn check(&self, case: u32, trips: u32) -> Option<Seen>;

    /// The name of case number `case`.
    fn name(&self, case: u32) -> Option<CString>;
}
