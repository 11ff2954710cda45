// SPDX-License-Identifier: GPL-2.0

//! A caller that takes the class `counter` for one of another interface. It cannot be loaded
//! where there is one.

#![deny(unsafe_code)]

use kernel::prelude::*;

#[path = "counter/narrow.rs"]
mod narrow;
use narrow::Counter;

kernel::prelude::module! {
    type: Caller,
    name: "test_counter_misread",
    authors: ["The Molt developers"],
    description: "Molt test: a caller with another idea of the interface",
    license: "GPL",
}

struct Caller;

impl kernel::Module for Caller {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let counter = molt::Class::<dyn Counter>::open(c"counter")?.create(0)?;
        pr_err!(
            "molt-test: called through another interface: {}\n",
            counter.add(1)
        );
        Ok(Self)
    }
}
