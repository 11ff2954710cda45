// SPDX-License-Identifier: GPL-2.0

//! A gauge in debugfs, version 3: its init takes `init_ms` milliseconds after the registration, and
//! fails in the end, before it has asked for a front.

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
    init: fail,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a gauge whose init fails",
    params: {
        init_ms: u32 {
            default: 1000,
            description: "How long the init takes",
        },
    },
}

fn fail(_module: &'static ThisModule) -> Result<()> {
    fsleep(Delta::from_millis(
        module_parameters::init_ms.value().into(),
    ));
    Err(ENODEV)
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
        Ok(())
    }

    fn store(&self, _text: &str) -> Result<()> {
        self.value.store(0, Relaxed);
        Ok(())
    }
}
