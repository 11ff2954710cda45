// SPDX-License-Identifier: GPL-2.0

//! Version 1: says hello.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Implementation, State};

#[path = "hello.rs"]
mod hello;
use hello::Hello;

molt::module! {
    class: "hello",
    implementation: Greeter,
    version: 1,
    license: "GPL",
    description: "Says hello",
}

#[derive(State)]
struct Greeter {
    name: CString,
    greetings: Atomic<u64>,
}

impl Implementation<dyn Hello> for Greeter {
    fn create(name: CString) -> impl PinInit<Self, Error> {
        let greetings = Atomic::new(0);
        try_init!(Self { name, greetings })
    }
}

impl Hello for Greeter {
    fn greet(&self) -> u64 {
        let count = self.greetings.fetch_add(1, Relaxed).wrapping_add(1);
        pr_info!("hello, {} ({count})\n", &*self.name);
        count
    }
}
