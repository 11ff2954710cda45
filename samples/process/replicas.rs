// SPDX-License-Identifier: GPL-2.0

//! Counters in several copies, so that processors do not meet in one cache line.

use kernel::cpu::CpuId;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::Movable;

use super::counters::{Counters, Limit};
use super::process::Report;

/// Copies; processors share them where there are more.
const REPLICAS: usize = 4;

/// One copy, in a cache line of its own.
#[derive(Movable)]
#[repr(align(64))]
struct Replica {
    counters: Counters,
}

/// The copies.
#[derive(Movable)]
pub(crate) struct Replicas {
    copies: [Replica; REPLICAS],
}

impl Replicas {
    pub(crate) const fn new() -> Self {
        Self::with(Counters::new())
    }

    const fn with(counters: Counters) -> Self {
        let [second, third, fourth] = [const { Counters::new() }; REPLICAS - 1];
        Self {
            copies: [
                Replica { counters },
                Replica { counters: second },
                Replica { counters: third },
                Replica { counters: fourth },
            ],
        }
    }

    /// The copy of this processor, or of another one if the task moves meanwhile.
    pub(crate) fn here(&self) -> &Counters {
        // The remainder is always inside.
        &self.copies[CpuId::current().as_u32() as usize % REPLICAS].counters
    }

    fn all(&self) -> impl Iterator<Item = &Counters> {
        self.copies.iter().map(|replica| &replica.counters)
    }

    pub(crate) fn report(&self, limit: &Limit) -> Report {
        Counters::report(self.all(), limit)
    }

    pub(crate) fn count_child(&self, limit: &Limit) -> bool {
        let children = || self.all().map(|one| one.children.load(Relaxed)).sum();
        limit.count(self.here(), children)
    }
}

/// The rule: what was counted once goes into the first copy.
pub(crate) fn spread(counters: Counters) -> Replicas {
    Replicas::with(counters)
}

/// The way back: the sums.
pub(crate) fn sum(replicas: Replicas) -> Counters {
    let report = replicas.report(&Limit::new());
    Counters {
        children: Atomic::new(report.children),
        threads: Atomic::new(report.threads),
        execs: Atomic::new(report.execs),
        refused: Atomic::new(report.refused),
    }
}
