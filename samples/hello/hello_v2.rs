// SPDX-License-Identifier: GPL-2.0

//! Version 2: says good day, and remembers whether it ever said hello.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Implementation, State, Transfer};

#[path = "hello.rs"]
mod hello;
use hello::Hello;

molt::module! {
    class: "hello",
    implementation: Greeter,
    version: 2,
    transfers: [Greeter1 => Greeter, Greeter => Greeter1],
    license: "GPL",
    description: "Says good day",
}

/// What version 1 keeps.
#[derive(State)]
#[state(name = "Greeter", version = 1)]
struct Greeter1 {
    name: CString,
    greetings: Atomic<u64>,
}

#[derive(State)]
struct Greeter {
    name: CString,
    greetings: Atomic<u64>,
    said_hello: bool,
}

impl Transfer<Greeter1> for Greeter {
    type Prepared = CString;

    fn prepare(old: &Greeter1) -> Result<CString> {
        Ok(CString::try_from(&*old.name)?)
    }

    fn commit(old: &mut Greeter1, name: CString) -> Self {
        let greetings = old.greetings.load(Relaxed);
        Self {
            name,
            greetings: Atomic::new(greetings),
            said_hello: greetings > 0,
        }
    }
}

impl Transfer<Greeter> for Greeter1 {
    type Prepared = CString;

    fn prepare(old: &Greeter) -> Result<CString> {
        Ok(CString::try_from(&*old.name)?)
    }

    fn commit(old: &mut Greeter, name: CString) -> Self {
        let greetings = Atomic::new(old.greetings.load(Relaxed));
        Self { name, greetings }
    }
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
