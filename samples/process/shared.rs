// SPDX-License-Identifier: GPL-2.0

//! `Shared`: one set of counters for each process.

use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;
use molt::State;

use super::counters::{Counters, Limit};
use super::process::{Process, Report};

#[derive(State)]
pub(crate) struct Shared {
    counters: Counters,
    limit: Limit,
}

impl molt::Implementation<dyn Process> for Shared {
    fn create(_is_new: bool) -> impl PinInit<Self, Error> {
        try_init!(Self {
            counters: Counters::new(),
            limit: Limit::new(),
        })
    }
}

impl Process for Shared {
    fn fork(&self) -> bool {
        let children = || self.counters.children.load(Relaxed);
        self.limit.count(&self.counters, children)
    }

    fn thread(&self) {
        self.counters.threads.fetch_add(1, Relaxed);
    }

    fn exec(&self) {
        self.counters.execs.fetch_add(1, Relaxed);
    }

    fn set_limit(&self, limit: Option<u64>) {
        self.limit.set(limit);
    }

    fn report(&self) -> Report {
        Counters::report([&self.counters].into_iter(), &self.limit)
    }
}
