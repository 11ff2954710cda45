// SPDX-License-Identifier: GPL-2.0

//! Has a work item and a timer run every millisecond, for as long as it is inserted.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::time::Delta;
use molt::front::work::{Timer, TimerCallback, Work, WorkItem};
use molt::Class;

module! {
    type: Beats,
    name: "test_beats",
    authors: ["The Molt developers"],
    description: "Molt test: a work item and a timer that run again and again",
    license: "GPL",
}

const PERIOD_US: u64 = 1000;

struct Beats {
    work: Arc<Work>,
    _timer: Timer,
}

impl kernel::Module for Beats {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let work = Work::new(Class::<dyn WorkItem>::open(c"test_work")?.create(PERIOD_US)?)?;
        let timer = Class::<dyn TimerCallback>::open(c"test_timer")?.create(PERIOD_US)?;
        let timer = Timer::start(timer, Delta::from_millis(1))?;
        work.enqueue(Delta::ZERO);
        Ok(Self {
            work,
            _timer: timer,
        })
    }
}

impl Drop for Beats {
    fn drop(&mut self) {
        self.work.stop();
    }
}
