// SPDX-License-Identifier: GPL-2.0

//! A counter with that field has another type.

#![deny(unsafe_code)]

use molt::Movable;

#[path = "../../samples/counter.rs"]
mod counter;
#[path = "deep/nest.rs"]
mod nest;
use nest::Deep;

molt::module! {
    class: "counter",
    implementation: Deep,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a state of many levels, version 2",
}

/// What leaves begin with.
const BEGIN: u32 = 7;

#[derive(Movable)]
pub(crate) struct Leaf {
    #[state(convert(u32 => u64::from))]
    value: u64,
}

impl Leaf {
    pub(crate) fn new() -> Self {
        Self {
            value: BEGIN.into(),
        }
    }

    pub(crate) fn value(&self) -> u64 {
        self.value
    }
}
