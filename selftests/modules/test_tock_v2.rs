// SPDX-License-Identifier: GPL-2.0

//! Class `tock` of ticks, version 2.

#![deny(unsafe_code)]

#[path = "tick/interface.rs"]
mod interface;
#[path = "tick/methods.rs"]
mod methods;
#[path = "tick/v2.rs"]
mod state;

molt::module! {
    class: "tock",
    implementation: state::Plain,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: ticks `tock`, version 2",
}
