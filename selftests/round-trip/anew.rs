// SPDX-License-Identifier: GPL-2.0

//! Makes a field again that it does not take over.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::Atomic;
use kernel::sync::Mutex;
use molt::State;

#[path = "place.rs"]
mod place;
use place::Place;

molt::module! {
    class: "place",
    implementation: Anew,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, anew",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1", dropped(count: Atomic<u64> = Atomic::new(0)))]
struct Anew {
    #[state(default)]
    fresh: u64,
    value: u64,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

impl molt::Implementation<dyn Place> for Anew {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Anew {
    fn value(&self) -> u64 {
        0
    }
}
