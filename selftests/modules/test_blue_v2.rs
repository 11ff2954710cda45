// SPDX-License-Identifier: GPL-2.0

//! Class `blue` of hues, version 2.

#![deny(unsafe_code)]

#[path = "hue/as_blue.rs"]
mod as_blue;
#[path = "hue/blue.rs"]
mod blue;
#[path = "hue/v2.rs"]
mod state;

molt::module! {
    class: "blue",
    implementation: state::Hue,
    version: 2,
    transfers: [state::Hue1 => state::Hue, state::Hue => state::Hue1],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: hues `blue`, version 2",
}
