// SPDX-License-Identifier: GPL-2.0

//! Class `blue` of hues, version 1.

#![deny(unsafe_code)]

#[path = "hue/as_blue.rs"]
mod as_blue;
#[path = "hue/blue.rs"]
mod blue;
#[path = "hue/v1.rs"]
mod state;

molt::module! {
    class: "blue",
    implementation: state::Hue,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: hues `blue`, version 1",
}
