// SPDX-License-Identifier: GPL-2.0

//! What a timer runs, version 2.

#![deny(unsafe_code)]

use kernel::prelude::*;
use molt::front::work::{Next, TimerCallback};

#[path = "beat/beat.rs"]
mod beat;
use beat::Beat;

molt::module! {
    class: "test_timer",
    implementation: Beat,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: what runs again and again, version 2",
}

impl molt::Implementation<dyn TimerCallback> for Beat {
    fn create(argument: u64) -> impl PinInit<Self, Error> {
        Beat::new(argument)
    }

    fn closed(&self) {
        self.tell("test_timer");
    }
}

impl TimerCallback for Beat {
    fn run(&self) -> Next {
        self.count(2)
    }
}
