// SPDX-License-Identifier: GPL-2.0

//! A counter with a field as deep in the state as it may be.

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
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a state of many levels, version 1",
}

/// What leaves begin with.
const BEGIN: u32 = 7;

#[derive(Movable)]
pub(crate) struct Leaf {
    value: u32,
}

impl Leaf {
    pub(crate) fn new() -> Self {
        Self { value: BEGIN }
    }

    pub(crate) fn value(&self) -> u64 {
        self.value.into()
    }
}
