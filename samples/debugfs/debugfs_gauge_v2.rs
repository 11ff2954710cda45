// SPDX-License-Identifier: GPL-2.0

//! A gauge in debugfs, version 2: also remembers the least and the greatest. See debugfs_front.rs.

#![deny(unsafe_code)]

use kernel::fmt::Write;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::SpinLock;
use molt::front::{Attachment, Report};
use molt::{Movable, State};

mod file;
use file::{DebugfsFile, Options, FRONT};

molt::module! {
    class: "gauge",
    implementation: Gauge,
    version: 2,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a gauge in debugfs, version 2",
}

fn start(_module: &'static ThisModule) -> Result<Attachment> {
    let options = molt::front::Options::new(Options { room: 256 })?;
    Attachment::new::<Gauge>(FRONT, options)
}

/// The least and the greatest since this version is there.
#[derive(Movable)]
struct Range(Option<(i64, i64)>);

#[pin_data]
#[derive(State)]
struct Gauge {
    value: Atomic<i64>,
    #[pin]
    #[state(default = Range(None))]
    range: SpinLock<Range>,
}

impl molt::Implementation<dyn DebugfsFile> for Gauge {
    fn create(_arguments: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            value: Atomic::new(0),
            range <- kernel::new_spinlock!(Range(None), "gauge"),
        })
    }
}

impl DebugfsFile for Gauge {
    fn show(&self, report: &mut Report) -> Result<()> {
        let range = self.range.lock().0;
        let value = self.value.load(Relaxed);
        match range {
            None => writeln!(report, "{value}"),
            Some((least, greatest)) => writeln!(report, "{value} {least} {greatest}"),
        }
        .map_err(|_| EIO)
    }

    fn store(&self, text: &str) -> Result<()> {
        let value = text.trim().parse().map_err(|_| EINVAL)?;
        let mut range = self.range.lock();
        let (least, greatest) = range.0.unwrap_or((value, value));
        range.0 = Some((least.min(value), greatest.max(value)));
        self.value.store(value, Relaxed);
        Ok(())
    }
}
