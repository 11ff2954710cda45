// SPDX-License-Identifier: GPL-2.0

//! Class `faults`, version 2: every counted value is copied, in each kind of container, and each
//! copy can be refused. Which one is, a test writes to `test_faults/refuse` in debugfs: eight
//! times the number of the instance, plus the number of the place; 0: none.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a version uses part of what all have")]

use kernel::debugfs::{Dir, File};
use kernel::error::code::EDOM;
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, Mutex};
use kernel::uaccess::UserSliceReader;
use molt::{Movable, State};

#[path = "node/command.rs"]
mod command;
#[path = "corpus/interface.rs"]
mod interface;
#[path = "faults/part.rs"]
mod part;
use interface::{Check, Corpus, Counted, Ledger, Seen};

molt::module! {
    class: "faults",
    implementation: Faulty,
    version: 2,
    statics: [reset(REFUSED)],
    init: start,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: states whose transfer can fail anywhere, version 2",
}

/// The value that is refused.
static REFUSED: Atomic<u64> = Atomic::new(0);

part::state!(
    Faulty,
    #[state(try_convert(Counted => copy, try_back = copy), versions = "Faulty@1")];
    #[state(default)] more
);

fn copy(value: &Counted) -> Result<Counted> {
    match value.number() == REFUSED.load(Relaxed) {
        true => Err(EDOM),
        false => Counted::new(value.ledger(), value.number()),
    }
}

fn start(_module: &'static ThisModule) -> Result<(Pin<KBox<File<u64>>>, Dir)> {
    let dir = Dir::new(c"test_faults");
    let file = dir.write_callback_file(c"refuse", 0, &refuse);
    Ok((KBox::pin_init(file, GFP_KERNEL)?, dir.clone()))
}

fn refuse(_: &u64, reader: &mut UserSliceReader) -> Result {
    command::take(reader, |number, _| {
        REFUSED.store(number.parse().map_err(|_| EINVAL)?, Relaxed);
        Ok(())
    })
}
