// SPDX-License-Identifier: GPL-2.0

//! What runs again and again, and counts how often it did so in which version.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::Delta;
use molt::front::work::Next;
use molt::State;

/// The beat of version 1 or 2: `argument` is the time between two runs, in microseconds.
#[derive(State)]
pub(crate) struct Beat {
    period_us: u64,
    runs: [Atomic<u64>; 2],
}

impl Beat {
    pub(crate) fn new(period_us: u64) -> impl Init<Self, Error> {
        init!(Self {
            period_us,
            runs: [Atomic::new(0), Atomic::new(0)],
        }? Error)
    }

    pub(crate) fn count(&self, version: usize) -> Next {
        if let Some(runs) = self.runs.get(version - 1) {
            runs.fetch_add(1, Relaxed);
        }
        Next::After(Delta::from_micros(self.period_us as i64))
    }

    pub(crate) fn tell(&self, what: &str) {
        let [first, second] = &self.runs;
        pr_info!(
            "{what}: {} runs of version 1, {} of version 2\n",
            first.load(Relaxed),
            second.load(Relaxed)
        );
    }
}
