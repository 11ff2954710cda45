// SPDX-License-Identifier: GPL-2.0

//! A device that blocks, version 2.

#![deny(unsafe_code)]

#[path = "pipe/pipe.rs"]
mod pipe;
use pipe::{start, Pipe};

/// What the ioctl answers.
const ANSWER: Option<isize> = Some(2);

molt::module! {
    class: "test_pipe",
    implementation: Pipe,
    version: 2,
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: a device that blocks, version 2",
}
