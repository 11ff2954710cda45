// SPDX-License-Identifier: GPL-2.0

//! Class `beta` of nodes, version 1.

#![deny(unsafe_code)]

#[path = "node/interface.rs"]
mod interface;
#[path = "node/methods.rs"]
mod methods;
#[path = "node/v1.rs"]
mod v1;

molt::module! {
    class: "beta",
    implementation: v1::Plain,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `beta`, version 1",
}
