// SPDX-License-Identifier: GPL-2.0

//! A client of the test classes `corpus`, `pairs` and `faults`: makes instances, checks them, and
//! keeps the account of their counted values.
//!
//! A test writes to `test_corpus/command` in debugfs: `make CLASS N` makes instances and keeps
//! their handles, `trips N` says how many updates they have been through, and `end` drops the
//! handles. `test_corpus/result` shows, for each case, how many instances are right and how many
//! wrong, then how many counted values the instances have, and how many were made and dropped.

#![deny(unsafe_code)]

use kernel::debugfs::{Dir, File};
use kernel::fmt;
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, Mutex};
use kernel::uaccess::UserSliceReader;

#[path = "node/command.rs"]
mod command;
#[allow(dead_code, reason = "the states use it")]
#[path = "corpus/interface.rs"]
mod interface;
use interface::{Corpus, Ledger};

type Handle = molt::Handle<dyn Corpus>;

kernel::prelude::module! {
    type: Client,
    name: "test_corpus",
    authors: ["The Molt developers"],
    description: "Molt test: makes states of all shapes, and checks them",
    license: "GPL",
}

#[pin_data]
struct Client {
    #[pin]
    command: File<Arc<Store>>,
    #[pin]
    result: File<Arc<Store>>,
    _dir: Dir,
}

impl kernel::InPlaceModule for Client {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let dir = Dir::new(c"test_corpus");
            let store = Arc::pin_init(Store::new(), GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                command <- dir.write_callback_file(c"command", store.clone(), &run),
                result <- dir.read_callback_file(c"result", store.clone(), &show),
                _dir: dir.clone(),
            }))
        })
    }
}

/// The instances, and the account of their counted values.
#[pin_data]
struct Store {
    ledger: Arc<Ledger>,
    trips: Atomic<u32>,
    #[pin]
    handles: Mutex<KVVec<Handle>>,
}

impl Store {
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ledger: Arc::new(
                Ledger {
                    made: Atomic::new(0),
                    dropped: Atomic::new(0),
                },
                GFP_KERNEL,
            )?,
            trips: Atomic::new(0),
            handles <- kernel::new_mutex!(KVVec::new()),
        })
    }

    /// `class number`.
    fn make(&self, argument: &str) -> Result {
        let (class, number) = argument.split_once(' ').ok_or(EINVAL)?;
        let class = CString::try_from_fmt(fmt!("{class}"))?;
        let class = molt::Class::<dyn Corpus>::open(&class)?;
        let mut handles = self.handles.lock();
        for _ in 0..command::number(number)? {
            let seed = handles.len() as u64 + 1;
            let handle = class.create((self.ledger.clone(), seed))?;
            handles.push(handle, GFP_KERNEL)?;
        }
        Ok(())
    }
}

fn run(store: &Arc<Store>, reader: &mut UserSliceReader) -> Result {
    command::take(reader, |command, argument| match command {
        "make" => store.make(argument),
        "trips" => {
            store.trips.store(command::number(argument)?, Relaxed);
            Ok(())
        }
        "end" => {
            drop(core::mem::take(&mut *store.handles.lock()));
            Ok(())
        }
        _ => Err(EINVAL),
    })
}

fn show(store: &Arc<Store>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let handles = store.handles.lock();
    let trips = store.trips.load(Relaxed);
    let mut counted = 0;
    for case in 0.. {
        let Some(name) = handles.first().and_then(|first| first.name(case)) else {
            break;
        };
        let (mut right, mut wrong) = (0, 0);
        for seen in handles
            .iter()
            .filter_map(|handle| handle.check(case, trips))
        {
            counted += seen.counted;
            match seen.is_right {
                true => right += 1,
                false => wrong += 1,
            }
        }
        writeln!(
            f,
            "{} right {right} wrong {wrong}",
            name.to_str().unwrap_or("?")
        )?;
    }
    let (made, dropped) = (&store.ledger.made, &store.ledger.dropped);
    let (made, dropped) = (made.load(Relaxed), dropped.load(Relaxed));
    writeln!(f, "counted {counted} made {made} dropped {dropped}")
}
