// SPDX-License-Identifier: GPL-2.0

//! A gauge in debugfs, version 3: its init takes `init_ms` milliseconds after the registration, and
//! fails if `fail` is set; it asks for no front. A read takes `show_ms` inside the call.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{delay::fsleep, Delta};
use molt::front::Report;
use molt::State;

#[allow(dead_code, reason = "what a front is asked for")]
#[path = "../../samples/debugfs/file.rs"]
mod file;
use file::DebugfsFile;

molt::module! {
    class: "gauge",
    implementation: Gauge,
    version: 3,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a gauge that takes its time",
    params: {
        init_ms: u32 {
            default: 1000,
            description: "How long the init takes",
        },
        fail: bool {
            default: true,
            description: "Whether the init fails in the end",
        },
        show_ms: u32 {
            default: 0,
            description: "How long a read takes",
        },
    },
}

fn take(ms: u32) {
    fsleep(Delta::from_millis(ms.into()));
}

fn start(_module: &'static ThisModule) -> Result<()> {
    take(module_parameters::init_ms.value());
    match module_parameters::fail.value() {
        true => Err(ENODEV),
        false => Ok(()),
    }
}

#[derive(State)]
struct Gauge {
    value: Atomic<i64>,
}

impl molt::Implementation<dyn DebugfsFile> for Gauge {
    fn create(_arguments: ()) -> impl PinInit<Self, Error> {
        init!(Self { value: Atomic::new(0) }? Error)
    }
}

impl DebugfsFile for Gauge {
    fn show(&self, _report: &mut Report) -> Result<()> {
        take(module_parameters::show_ms.value());
        Ok(())
    }

    fn store(&self, _text: &str) -> Result<()> {
        self.value.store(0, Relaxed);
        Ok(())
    }
}
