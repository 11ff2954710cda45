// SPDX-License-Identifier: GPL-2.0

//! Version 2 of `Replicated`: knows when a process was made, and how old it was at its execs.
//!
//! Purpose: a state that learns something new. Of processes that it takes over the time is not
//! known, and the tracker shows none. It takes over from both others and gives back to both.
//!
//! Usage: as in `process_shared.rs`.
//!
//! How to make it fail: remove `default` at `ages` below: the update is refused (`EPROTO`), and
//! `last_result` names the field.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{Delta, Instant, Monotonic};
use molt::{Movable, State};

mod counters;
mod process;
mod replicas;

use counters::{Counters, Limit};
use process::{Process, Report, AGES};
use replicas::{spread, sum, Replicas};

molt::module! {
    class: "process",
    implementation: Replicated,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: processes, counted for each processor, with their ages",
}

/// Execs, by the age of the process.
#[derive(Movable)]
struct Ages {
    counts: [Atomic<u32>; AGES],
}

impl Ages {
    const fn new() -> Self {
        Self {
            counts: [const { Atomic::new(0) }; AGES],
        }
    }

    fn count(&self, age: Delta) {
        // Each span ends at four times the age of the one before.
        let ms = age.as_millis().unsigned_abs();
        let spans = (u64::BITS - ms.leading_zeros()).div_ceil(2) as usize;
        if let Some(count) = self.counts.get(spans.min(AGES - 1)) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn get(&self) -> [u32; AGES] {
        self.counts.each_ref().map(|count| count.load(Relaxed))
    }
}

#[derive(State)]
#[state(from = ["Shared@1", "Replicated@1"])]
struct Replicated {
    #[state(convert(counters: Counters => spread, back = sum), versions = "Shared@1")]
    replicas: Replicas,
    limit: Limit,
    #[state(default)]
    born: Option<Instant<Monotonic>>,
    #[state(default = Ages::new())]
    ages: Ages,
}

impl molt::Implementation<dyn Process> for Replicated {
    fn create(is_new: bool) -> impl PinInit<Self, Error> {
        try_init!(Self {
            replicas: Replicas::new(),
            limit: Limit::new(),
            born: is_new.then(Instant::now),
            ages: Ages::new(),
        })
    }
}

impl Process for Replicated {
    fn fork(&self) -> bool {
        self.replicas.count_child(&self.limit)
    }

    fn thread(&self) {
        self.replicas.here().threads.fetch_add(1, Relaxed);
    }

    fn exec(&self) {
        self.replicas.here().execs.fetch_add(1, Relaxed);
        if let Some(born) = self.born {
            self.ages.count(born.elapsed());
        }
    }

    fn set_limit(&self, limit: Option<u64>) {
        self.limit.set(limit);
    }

    fn report(&self) -> Report {
        Report {
            age_ms: self.born.map(|born| born.elapsed().as_millis()),
            ages: Some(self.ages.get()),
            ..self.replicas.report(&self.limit)
        }
    }
}
