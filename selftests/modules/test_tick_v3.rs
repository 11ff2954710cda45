// SPDX-License-Identifier: GPL-2.0

//! Class `tick` of ticks, version 3: no update to it may begin.

#![deny(unsafe_code)]

#[path = "tick/interface.rs"]
mod interface;
#[path = "tick/methods.rs"]
mod methods;
#[path = "tick/v3.rs"]
mod state;

molt::module! {
    class: "tick",
    implementation: state::Plain,
    version: 3,
    transfers: [state::Plain1 => state::Plain],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: ticks `tick`, whose transfer can fail",
}
