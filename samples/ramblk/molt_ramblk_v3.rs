// SPDX-License-Identifier: GPL-2.0

//! RAM disk, version 3: gives back what is discarded, and counts requests for each MiB.
//!
//! The counts are in a vector that is as long as the disk is large, so an update can find no memory
//! for it. Then it is refused, and the disk stays what it is.
//!
//! How to make it fail: `modprobe molt_ramblk_v3 fail=1`, and the update ends with `ENOMEM`.

#![deny(unsafe_code)]

use kernel::fmt::{self, Write};
use kernel::prelude::*;
use kernel::sync::Mutex;
use kernel::time::Delta;
use molt::front::block::{Disposition, GenDisk, Geometry, Op, Operations, Request, PIECE};
use molt::front::Report;
use molt::{Movable, State};

mod block;
mod dedup;

use block::{empty, place, Shards};
use dedup::{read_at, write_at, Index};

molt::module! {
    class: "ramblk",
    implementation: RamBlk,
    version: 3,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a RAM disk, version 3",
    params: {
        mib: u64 {
            default: 64,
            description: "Size of the disk, in MiB",
        },
        fail: u8 {
            default: 0,
            description: "1: no memory is found for the counts",
        },
    },
}

fn start(_module: &'static ThisModule) -> Result<GenDisk<RamBlk>> {
    block::disk(module_parameters::mib.value())?.build(c"ramblk")
}

/// Requests that begin in one MiB.
#[derive(Clone, Copy, Movable)]
struct Region {
    reads: u64,
    writes: u64,
    discards: u64,
}

/// What was done, in requests.
#[derive(Movable)]
struct Traffic {
    #[state(try_convert(mib: u64 => regions, back = size))]
    regions: KVec<Region>,
    reads: u64,
    writes: u64,
}

fn regions(mib: &u64) -> Result<KVec<Region>> {
    if module_parameters::fail.value() != 0 {
        return Err(ENOMEM);
    }
    let none = Region {
        reads: 0,
        writes: 0,
        discards: 0,
    };
    let count = usize::try_from(*mib).map_err(|_| EFBIG)?;
    Ok(KVec::from_elem(none, count, GFP_KERNEL)?)
}

fn size(regions: KVec<Region>) -> u64 {
    regions.len() as u64
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
        self.count(rq);
        match rq.op() {
            Op::Read => {
                rq.dest(|position, bytes| read_at(&self.table, &self.index, position, bytes))
            }
            Op::Write => {
                rq.source(|position, bytes| write_at(&self.table, &self.index, position, bytes))
            }
            Op::Discard | Op::WriteZeroes => self.clear(rq.position(), rq.length()),
            Op::Flush => Ok(()),
            Op::Other(_) => Err(EOPNOTSUPP),
        }
    }

    fn count(&self, rq: &Request) {
        let mut traffic = self.traffic.lock();
        let mib = usize::try_from(rq.position() >> 20).unwrap_or(usize::MAX);
        let Some(region) = traffic.regions.get_mut(mib) else {
            return;
        };
        match rq.op() {
            Op::Read => {
                region.reads += 1;
                traffic.reads += 1;
            }
            Op::Write => {
                region.writes += 1;
                traffic.writes += 1;
            }
            Op::Discard | Op::WriteZeroes => region.discards += 1,
            _ => {}
        }
    }

    /// Forgets whole blocks; the disk has no smaller ones.
    fn clear(&self, first: u64, length: u64) -> Result {
        let end = first.checked_add(length).ok_or(EIO)?;
        for position in (first..end).step_by(PIECE) {
            let (shard, index, _) = place(position)?;
            let mut table = self.table.get(shard).ok_or(EIO)?.lock();
            if let Some(entry) = table.get_mut(index) {
                self.index.lock().forget(entry);
            }
        }
        Ok(())
    }
}

impl Operations for RamBlk {
    fn create(geometry: Geometry) -> impl PinInit<Self, Error> {
        let mib = geometry.capacity_sectors / 2048;
        try_pin_init!(Self {
            delay_us: 0,
            table <- empty(),
            traffic <- kernel::new_mutex!(
                Traffic {
                    regions: regions(&mib)?,
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
        for (mib, region) in traffic.regions.iter().enumerate() {
            let Region {
                reads,
                writes,
                discards,
            } = region;
            if reads + writes + discards > 0 {
                writeln!(
                    report,
                    "mib {mib} reads {reads} writes {writes} discards {discards}"
                )?;
            }
        }
        drop(traffic);
        self.index.lock().report(report)
    }
}
