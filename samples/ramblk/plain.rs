// SPDX-License-Identifier: GPL-2.0

//! The RAM disk of version 1: its state, and what it does with requests.

use kernel::fmt::{self, Write};
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};
use kernel::time::Delta;
use molt::front::block::{Disposition, Geometry, Op, Operations, Request};
use molt::front::Report;
use molt::{Movable, State};

use super::block::{empty, entry, place, read, written, Content, Shards};

/// What was done, in requests.
#[derive(Movable)]
pub(crate) struct Traffic {
    /// The size of the disk.
    mib: u64,
    reads: u64,
    writes: u64,
}

#[pin_data]
#[derive(State)]
pub(crate) struct RamBlk {
    delay_us: i64,
    #[pin]
    table: Shards,
    #[pin]
    traffic: Mutex<Traffic>,
}

impl RamBlk {
    /// `ENOMEM` where the parameter says so. The write comes again, and is counted again.
    fn begin_write(&self) -> Result {
        let mut traffic = self.traffic.lock();
        traffic.writes += 1;
        match traffic.writes.checked_rem(super::fail_every()) {
            Some(0) => Err(ENOMEM),
            _ => Ok(()),
        }
    }

    fn run(&self, rq: &mut Request) -> Result {
        match rq.op() {
            Op::Read => {
                self.traffic.lock().reads += 1;
                rq.dest(|position, bytes| {
                    let (shard, index, offset) = place(position)?;
                    let table = self.table.get(shard).ok_or(EIO)?.lock();
                    read(table.get(index).and_then(Option::as_ref), offset, bytes)
                })
            }
            Op::Write => {
                self.begin_write()?;
                rq.source(|position, bytes| {
                    let (shard, index, offset) = place(position)?;
                    let mut table = self.table.get(shard).ok_or(EIO)?.lock();
                    let entry = entry(&mut table, index)?;
                    let bytes = written(entry.as_ref(), offset, bytes)?;
                    *entry = Some(Arc::new(Content { hash: 0, bytes }, GFP_KERNEL)?);
                    Ok(())
                })
            }
            Op::Flush => Ok(()),
            _ => Err(EOPNOTSUPP),
        }
    }
}

impl Operations for RamBlk {
    fn create(geometry: Geometry) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            delay_us: super::delay_us(),
            table <- empty(),
            traffic <- kernel::new_mutex!(
                Traffic {
                    mib: geometry.capacity_sectors / 2048,
                    reads: 0,
                    writes: 0,
                },
                "ramblk_traffic"
            ),
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
        writeln!(report, "writes {}", traffic.writes)
    }
}
