// SPDX-License-Identifier: GPL-2.0

//! Class `corpus` of states of all shapes, version 2.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a module uses one version of each case")]

#[path = "corpus/case.rs"]
mod case;
#[path = "corpus/cases.rs"]
mod cases;
#[path = "corpus/containers.rs"]
mod containers;
#[path = "corpus/enums.rs"]
mod enums;
#[path = "corpus/interface.rs"]
mod interface;
#[path = "corpus/layout.rs"]
mod layout;
#[path = "corpus/names.rs"]
mod names;
#[path = "corpus/own.rs"]
mod own;
#[path = "corpus/owned.rs"]
mod owned;
#[path = "corpus/v2.rs"]
mod v2;
#[path = "corpus/values.rs"]
mod values;

molt::module! {
    class: "corpus",
    implementation: v2::Shapes,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: states of all shapes, version 2",
}
