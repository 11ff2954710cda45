// SPDX-License-Identifier: GPL-2.0

//! Class `alpha` of nodes, version 2.

#![deny(unsafe_code)]

#[path = "node/interface.rs"]
mod interface;
#[path = "node/methods.rs"]
mod methods;
#[path = "node/v2.rs"]
mod v2;

molt::module! {
    class: "alpha",
    implementation: v2::Plain,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `alpha`, version 2",
}
