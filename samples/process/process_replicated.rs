// SPDX-License-Identifier: GPL-2.0

//! Processes, counted for several processors each: version 1 of `Replicated`.
//!
//! Purpose: threads of one process on several processors do not write to the same cache line.
//! It takes over from `Shared`, and gives back to it: see the rule at `replicas`. The class is
//! called where nobody may sleep, so a rule must not fail, and gets no memory.
//!
//! Usage: as in `process_shared.rs`, or with this one as the first.
//!
//! How to make it fail: write `try_convert` at the rule below. The update is refused (`EPROTO`)
//! before anything begins.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;
use molt::State;

mod counters;
mod process;
mod replicas;

use counters::{Counters, Limit};
use process::{Process, Report};
use replicas::{spread, sum, Replicas};

molt::module! {
    class: "process",
    implementation: Replicated,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: processes, counted for each processor",
}

#[derive(State)]
#[state(from = "Shared@1")]
struct Replicated {
    #[state(convert(counters: Counters => spread, back = sum))]
    replicas: Replicas,
    limit: Limit,
}

impl molt::Implementation<dyn Process> for Replicated {
    fn create(_is_new: bool) -> impl PinInit<Self, Error> {
        try_init!(Self {
            replicas: Replicas::new(),
            limit: Limit::new(),
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
    }

    fn set_limit(&self, limit: Option<u64>) {
        self.limit.set(limit);
    }

    fn report(&self) -> Report {
        self.replicas.report(&self.limit)
    }
}
