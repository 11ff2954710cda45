// SPDX-License-Identifier: GPL-2.0

//! Does not compile.

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
    implementation: Broken,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, broken",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Broken {
    value: u64,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn lost() -> u64 {
    kernel::no_such_function()
}

impl molt::Implementation<dyn Place> for Broken {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Broken {
    fn value(&self) -> u64 {
        0
    }
}
