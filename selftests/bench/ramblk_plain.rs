// SPDX-License-Identifier: GPL-2.0

//! The RAM disk of version 1 as it would be without Molt: the same source, on the front's own
//! disks, called directly. Its disk is `/dev/ramblk_plain`; the other one is there beside it.

use kernel::prelude::*;
use molt::front::block::Operations;

#[path = "../../samples/ramblk/block.rs"]
mod block;
#[path = "../../rust/front/disk.rs"]
mod disk;
#[path = "../../samples/ramblk/plain.rs"]
mod plain;

use plain::RamBlk;

/// Who serves the disk's requests.
type Data = RamBlk;

module! {
    type: Plain,
    name: "molt_ramblk_plain",
    authors: ["The Molt developers"],
    description: "Molt benchmark: a RAM disk that cannot be updated",
    license: "GPL",
    params: {
        mib: u64 {
            default: 64,
            description: "Size of the disk, in MiB",
        },
    },
}

struct Plain(disk::Raw);

impl kernel::Module for Plain {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let options = block::disk(module_parameters::mib.value())?;
        let data = <RamBlk as Operations>::create(options.geometry());
        let data = KBox::pin_init(data, GFP_KERNEL)?;
        Ok(Self(disk::Raw::new(c"ramblk_plain", &options, data)?))
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        // Who has the disk open has the module pinned.
        let _ = self.0.remove(false);
    }
}

fn delay_us() -> i64 {
    0
}

fn fail_every() -> u64 {
    0
}
