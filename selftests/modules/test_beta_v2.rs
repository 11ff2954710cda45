// SPDX-License-Identifier: GPL-2.0

//! Class `beta` of nodes, version 2.

#![deny(unsafe_code)]

#[path = "node/interface.rs"]
mod interface;
#[path = "node/methods.rs"]
mod methods;
#[path = "node/v2.rs"]
mod v2;

molt::module! {
    class: "beta",
    implementation: v2::Plain,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `beta`, version 2",
}
