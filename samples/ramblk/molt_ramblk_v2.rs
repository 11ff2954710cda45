// SPDX-License-Identifier: GPL-2.0

//! RAM disk, version 2: stores what is the same once, and zeroes not at all.
//!
//! The table moves as it is. What version 1 has written is compared when it is next read, so
//! that the update itself does not take the longer the more there is.
//!
//! How to make it fail: see molt_ramblk_v1.rs, which also has the usage.

#![deny(unsafe_code)]

use kernel::fmt::{self, Write};
use kernel::prelude::*;
use kernel::sync::Mutex;
use kernel::time::Delta;
use molt::front::block::{Disposition, GenDisk, Geometry, Op, Operations, Request};
use molt::front::Report;
use molt::{Movable, State};

mod block;
mod dedup;

use block::{empty, Shards};
use dedup::{read_at, write_at, Index};

molt::module! {
    class: "ramblk",
    implementation: RamBlk,
    version: 2,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a RAM disk, version 2",
    params: {
        mib: u64 {
            default: 64,
            description: "Size of the disk, in MiB",
        },
    },
}

fn start(_module: &'static ThisModule) -> Result<GenDisk<RamBlk>> {
    block::disk(module_parameters::mib.value())?.build(c"ramblk")
}

/// What was done, in requests.
#[derive(Movable)]
struct Traffic {
    mib: u64,
    reads: u64,
    writes: u64,
}

#[pin_data]
#[derive(State)]
struct RamBlk {
    delay_us: i64,
    #[pin]
    table: Shards,
    #[pin]
    traffic: Mutex<Traffic>,
    #[pin]
    #[state(default = Index::new())]
    index: Mutex<Index>,
}

impl RamBlk {
    fn run(&self, rq: &mut Request) -> Result {
        match rq.op() {
            Op::Read => {
                self.traffic.lock().reads += 1;
                rq.dest(|position, bytes| read_at(&self.table, &self.index, position, bytes))
            }
            Op::Write => {
                self.traffic.lock().writes += 1;
                rq.source(|position, bytes| write_at(&self.table, &self.index, position, bytes))
            }
            Op::Flush => Ok(()),
            _ => Err(EOPNOTSUPP),
        }
    }
}

impl Operations for RamBlk {
    fn create(geometry: Geometry) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            delay_us: 0,
            table <- empty(),
            traffic <- kernel::new_mutex!(
                Traffic {
                    mib: geometry.capacity_sectors / 2048,
                    reads: 0,
                    writes: 0,
                },
                "ramblk_traffic"
            ),
            index <- kernel::new_mutex!(Index::new(), "ramblk_index"),
        })
    }

    fn queue_rq(&self, rq: &mut Request) -> Result<Disposition> {
        match self.delay_us {
            0 => self.run(rq).map(|()| Disposition::Done),
            delay => Ok(Disposition::After(Delta::from_micros(delay))),
        }
    }

    fn complete(&self, rq: &mut Request) -> Result {
        self.run(rq)
    }

    fn statistics(&self, report: &mut Report) -> fmt::Result {
        let traffic = self.traffic.lock();
        writeln!(report, "reads {}", traffic.reads)?;
        writeln!(report, "writes {}", traffic.writes)?;
        drop(traffic);
        self.index.lock().report(report)
    }
}
