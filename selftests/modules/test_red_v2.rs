// SPDX-License-Identifier: GPL-2.0

//! Class `red` of hues, version 2.

#![deny(unsafe_code)]

#[path = "hue/as_red.rs"]
mod as_red;
#[path = "hue/blue.rs"]
mod blue;
#[path = "hue/green.rs"]
mod green;
#[path = "hue/red.rs"]
mod red;
#[path = "hue/v2.rs"]
mod state;

molt::module! {
    class: "red",
    implementation: state::Hue,
    version: 2,
    transfers: [state::Hue1 => state::Hue, state::Hue => state::Hue1],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: hues `red`, version 2",
}
