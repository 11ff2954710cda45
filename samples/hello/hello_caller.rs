// SPDX-License-Identifier: GPL-2.0

//! A caller: greets when it is loaded, and once more when it is removed.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use molt::{Class, Handle};

#[path = "hello.rs"]
mod hello;
use hello::Hello;

module! {
    type: Caller,
    name: "hello_caller",
    description: "Has itself greeted",
    license: "GPL",
}

struct Caller {
    greeter: Handle<dyn Hello>,
}

impl kernel::Module for Caller {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let name = CString::try_from_fmt(fmt!("world"))?;
        let greeter = Class::<dyn Hello>::open(c"hello")?.create(name)?;
        greeter.greet();
        Ok(Self { greeter })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.greeter.greet();
    }
}
