// SPDX-License-Identifier: GPL-2.0

//! What a work item runs, version 2.

#![deny(unsafe_code)]

use kernel::prelude::*;
use molt::front::work::{Next, WorkItem};

#[path = "beat/beat.rs"]
mod beat;
use beat::Beat;

molt::module! {
    class: "test_work",
    implementation: Beat,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: what runs again and again, version 2",
}

impl molt::Implementation<dyn WorkItem> for Beat {
    fn create(argument: u64) -> impl PinInit<Self, Error> {
        Beat::new(argument)
    }

    fn closed(&self) {
        self.tell("test_work");
    }
}

impl WorkItem for Beat {
    fn run(&self) -> Next {
        self.count(2)
    }
}
