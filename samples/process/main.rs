// SPDX-License-Identifier: GPL-2.0

//! Tracks processes: each is an instance of the class `process`, from its fork to its end.
//!
//! Purpose: a front of its own. The module owns the probes, the table and the files, which are
//! never replaced; what is counted of a process, and whether it may have another child, is up to
//! the implementation, which can be. A child beyond the limit is killed before its first
//! instruction, as nobody can refuse a fork from a probe.
//!
//! Usage: with an implementation of the class inserted,
//!
//! ```text
//! # modprobe molt_process
//! # cd /sys/kernel/debug; cd molt_process
//! # cat accounts                 found + forks = ended + live + failed
//! # cat processes                one line for each
//! # echo "$$ 10" >limit          this shell may have made ten children
//! # echo "$$ -" >limit           or any number
//! # rmmod molt_process
//! ```
//!
//! How to make it fail: insert it without an implementation (`ENOENT`); set the limit of a process
//! that is not there (`ESRCH`).

use kernel::prelude::*;

mod files;
mod object;
mod process;
mod table;
mod tracker;

module! {
    type: Module,
    name: "molt_process",
    authors: ["The Molt developers"],
    description: "Molt sample: tracks processes",
    license: "GPL",
}

#[pin_data]
struct Module {
    #[pin]
    _tracking: files::Tracking,
}

impl kernel::InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { _tracking <- files::Tracking::new(c"molt_process") })
    }
}
