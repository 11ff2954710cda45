// SPDX-License-Identifier: GPL-2.0

//! Class `faults`, version 1.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a version uses part of what all have")]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{Arc, Mutex};
use molt::{Movable, State};

#[path = "corpus/interface.rs"]
mod interface;
#[path = "faults/part.rs"]
mod part;
use interface::{Check, Corpus, Counted, Ledger, Seen};

molt::module! {
    class: "faults",
    implementation: Faulty,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: states whose transfer can fail anywhere, version 1",
}

part::state!(Faulty,);
