// SPDX-License-Identifier: GPL-2.0

//! RAM disk, version 1: stores what is written.
//!
//! Purpose: a disk that is replaced while a file system is mounted on it.
//!
//! Usage:
//!
//! ```text
//! # modprobe molt_control; modprobe molt_ramblk_v1 mib=64
//! # mkfs.ext4 /dev/ramblk; mount /dev/ramblk /mnt
//! # modprobe molt_ramblk_v2
//! # echo RamBlk@2 > /sys/kernel/molt/classes/ramblk/update
//! # rmmod molt_ramblk_v1; cat /sys/block/ramblk/statistics
//! ```
//!
//! With `delay_us=100` each request is done so much later, by the version that is there by then.
//!
//! How to make it fail: `fstrim /mnt` is not supported before version 3. `echo 1 >
//! /sys/kernel/molt/classes/ramblk/remove` is refused while the disk is open (`EBUSY`).

#![deny(unsafe_code)]

use kernel::prelude::*;
use molt::front::block::GenDisk;

mod block;
mod plain;

use plain::RamBlk;

molt::module! {
    class: "ramblk",
    implementation: RamBlk,
    version: 1,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a RAM disk, version 1",
    params: {
        mib: u64 {
            default: 64,
            description: "Size of the disk, in MiB",
        },
        delay_us: i64 {
            default: 0,
            description: "How much later requests are done, in microseconds",
        },
        fail_every: u64 {
            default: 0,
            description: "Every so many writes one finds no memory at first",
        },
    },
}

fn start(_module: &'static ThisModule) -> Result<GenDisk<RamBlk>> {
    block::disk(module_parameters::mib.value())?.build(c"ramblk")
}

fn delay_us() -> i64 {
    module_parameters::delay_us.value()
}

fn fail_every() -> u64 {
    module_parameters::fail_every.value()
}
