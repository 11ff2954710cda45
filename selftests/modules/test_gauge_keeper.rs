// SPDX-License-Identifier: GPL-2.0

//! Keeps an instance of the class `gauge` of its own, beside that of the class's front. Its init
//! ends with a call of it where `shows` is set.

#![deny(unsafe_code)]

use kernel::prelude::*;
use molt::front::Report;
use molt::{Class, Handle};

#[allow(dead_code, reason = "what a front is asked for")]
#[path = "../../samples/debugfs/file.rs"]
mod file;
use file::DebugfsFile;

kernel::prelude::module! {
    type: Keeper,
    name: "test_gauge_keeper",
    authors: ["The Molt developers"],
    description: "Molt test: keeps an instance of a class that has a front",
    license: "GPL",
    params: {
        shows: bool {
            default: false,
            description: "Whether the init calls the instance",
        },
    },
}

struct Keeper {
    _handle: Handle<dyn DebugfsFile>,
}

impl kernel::Module for Keeper {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let handle: Handle<dyn DebugfsFile> = Class::open(c"gauge")?.create(())?;
        if module_parameters::shows.value() {
            handle.show(&mut Report::new(256)?)?;
        }
        Ok(Self { _handle: handle })
    }
}
