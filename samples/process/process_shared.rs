// SPDX-License-Identifier: GPL-2.0

//! Processes, counted in one place each: version 1 of `Shared`.
//!
//! Purpose: the experiment of K42, where each process is an object that can be exchanged:
//! `Shared` is small and quick to make, and does for almost all. Where the threads of a process
//! run on many processors, `Replicated` is better (`process_replicated.rs`); one may have the
//! busy processes only switched to it.
//!
//! Usage:
//!
//! ```text
//! # modprobe molt_control
//! # modprobe process_shared
//! # modprobe molt_process
//! # cd /sys/kernel/debug; cat molt_process/processes
//! # modprobe process_replicated
//! # echo "Replicated@1 key=1" > /sys/kernel/molt/classes/process/switch
//! # echo "Replicated@1 policy=eager" > /sys/kernel/molt/classes/process/update
//! # rmmod process_shared
//! ```
//!
//! How to make it fail: `rmmod process_shared` while it serves a process (`EAGAIN`: it is in
//! use); `echo 1 > /sys/kernel/molt/classes/process/remove` while the tracker is there (`EBUSY`).

#![deny(unsafe_code)]

mod counters;
mod process;
mod shared;

molt::module! {
    class: "process",
    implementation: shared::Shared,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: processes, counted in one place",
}
