// SPDX-License-Identifier: GPL-2.0

//! Version 2: says good day, and remembers whether it ever said hello.

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
    version: 2,
    license: "GPL",
    description: "Says good day",
}

#[derive(State)]
struct Greeter {
    name: CString,
    greetings: Atomic<u64>,
    #[state(default = true)]
    said_hello: bool,
}

impl Implementation<dyn Hello> for Greeter {
    fn create(name: CString) -> impl PinInit<Self, Error> {
        try_init!(Self {
            name,
            greetings: Atomic::new(0),
            said_hello: false,
        })
    }
}

impl Hello for Greeter {
    fn greet(&self) -> u64 {
        let count = self.greetings.fetch_add(1, Relaxed).wrapping_add(1);
        let again = if self.said_hello { " again" } else { "" };
        pr_info!("good day{again}, {} ({count})\n", &*self.name);
        count
    }
}
