// SPDX-License-Identifier: GPL-2.0

//! Class `alpha` of nodes, version 1.

#![deny(unsafe_code)]

#[path = "node/interface.rs"]
mod interface;
#[path = "node/methods.rs"]
mod methods;
#[path = "node/v1.rs"]
mod v1;

molt::module! {
    class: "alpha",
    implementation: v1::Plain,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `alpha`, version 1",
}
