// SPDX-License-Identifier: GPL-2.0

//! Class `green` of hues, version 1.

#![deny(unsafe_code)]

#[path = "hue/as_green.rs"]
mod as_green;
#[path = "hue/blue.rs"]
mod blue;
#[path = "hue/green.rs"]
mod green;
#[path = "hue/v1.rs"]
mod state;

molt::module! {
    class: "green",
    implementation: state::Hue,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: hues `green`, version 1",
}
