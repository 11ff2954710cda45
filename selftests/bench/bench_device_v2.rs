// SPDX-License-Identifier: GPL-2.0

//! The device of a benchmark, version 2.

#![deny(unsafe_code)]

mod device;
use device::{start, Device};

molt::module! {
    class: "bench_device",
    implementation: Device,
    version: 2,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt benchmark: a device that is replaced, version 2",
}
