// SPDX-License-Identifier: GPL-2.0

//! A gauge in debugfs, version 1: a number. See debugfs_front.rs.

#![deny(unsafe_code)]

use kernel::fmt::Write;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::front::{Attachment, Report};
use molt::State;

mod file;
use file::{DebugfsFile, Options, FRONT};

molt::module! {
    class: "gauge",
    implementation: Gauge,
    version: 1,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a gauge in debugfs, version 1",
}

fn start(_module: &'static ThisModule) -> Result<Attachment> {
    let options = molt::front::Options::new(Options { room: 256 })?;
    Attachment::new::<Gauge>(FRONT, options)
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
    fn show(&self, report: &mut Report) -> Result<()> {
        writeln!(report, "{}", self.value.load(Relaxed)).map_err(|_| EIO)
    }

    fn store(&self, text: &str) -> Result<()> {
        let value = text.trim().parse().map_err(|_| EINVAL)?;
        self.value.store(value, Relaxed);
        Ok(())
    }
}
