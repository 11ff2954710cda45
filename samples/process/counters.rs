// SPDX-License-Identifier: GPL-2.0

//! What is counted of a process, once or for several processors each.

use kernel::sync::atomic::{Atomic, Full, Relaxed};
use molt::Movable;

use super::process::Report;

/// What is counted.
#[derive(Movable)]
pub(crate) struct Counters {
    pub(crate) children: Atomic<u64>,
    pub(crate) threads: Atomic<u64>,
    pub(crate) execs: Atomic<u64>,
    pub(crate) refused: Atomic<u64>,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            children: Atomic::new(0),
            threads: Atomic::new(0),
            execs: Atomic::new(0),
            refused: Atomic::new(0),
        }
    }

    /// The figures of all of `parts` together.
    pub(crate) fn report<'a>(parts: impl Iterator<Item = &'a Self>, limit: &Limit) -> Report {
        let mut report = Report {
            children: 0,
            threads: 0,
            execs: 0,
            refused: 0,
            limit: limit.get(),
            age_ms: None,
            ages: None,
        };
        for part in parts {
            report.children += part.children.load(Relaxed);
            report.threads += part.threads.load(Relaxed);
            report.execs += part.execs.load(Relaxed);
            report.refused += part.refused.load(Relaxed);
        }
        report
    }
}

/// How many children a process may have.
#[derive(Movable)]
pub(crate) struct Limit(Atomic<u64>);

/// Any number of them.
const NONE: u64 = u64::MAX;

impl Limit {
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(NONE))
    }

    pub(crate) fn get(&self) -> Option<u64> {
        Some(self.0.load(Relaxed)).filter(|limit| *limit != NONE)
    }

    pub(crate) fn set(&self, limit: Option<u64>) {
        self.0.store(limit.unwrap_or(NONE), Relaxed);
    }

    /// Counts a child in `counters`, whose process has made `children()` in all; whether it may
    /// live.
    ///
    /// Where threads of a process meet at its limit, each of them may find that its own child
    /// is one too many; never does a process get more than its limit.
    #[inline(always)]
    pub(crate) fn count(&self, counters: &Counters, children: impl FnOnce() -> u64) -> bool {
        // Full: of two that meet, one sees the other.
        counters.children.fetch_add(1, Full);
        let limit = self.0.load(Relaxed);
        let may_live = limit == NONE || children() <= limit;
        if !may_live {
            counters.refused.fetch_add(1, Relaxed);
        }
        may_live
    }
}
