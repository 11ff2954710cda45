// SPDX-License-Identifier: GPL-2.0

//! Class `green` of hues, version 3: its transfer refuses instance `refuse_at`.

#![deny(unsafe_code)]

use kernel::sync::atomic::{Atomic, Relaxed};

#[path = "hue/as_green.rs"]
mod as_green;
#[path = "hue/blue.rs"]
mod blue;
#[path = "hue/green.rs"]
mod green;
#[path = "hue/v3.rs"]
mod state;

molt::module! {
    class: "green",
    implementation: state::Hue,
    version: 3,
    transfers: [state::Hue1 => state::Hue],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: hues `green`, whose transfer refuses",
    params: {
        refuse_at: u64 {
            default: 1,
            description: "Which instance of a transition is refused",
        },
    },
}

/// How many instances the transition has asked for so far.
static ASKED: Atomic<u64> = Atomic::new(0);

fn is_refused() -> bool {
    let asked = ASKED.fetch_add(1, Relaxed) + 1;
    let is_refused = asked == module_parameters::refuse_at.value();
    if is_refused {
        ASKED.store(0, Relaxed);
    }
    is_refused
}
