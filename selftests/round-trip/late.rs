// SPDX-License-Identifier: GPL-2.0

//! Its way back is no inverse either, but only of what `create` never makes.

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
    implementation: Late,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, late",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Late {
    value: u64,
    count: Atomic<u64>,
    name: CString,
    #[state(convert(Option<u32> => is_there, back = any))]
    spare: bool,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn is_there(old: Option<u32>) -> bool {
    old.is_some()
}

fn any(new: bool) -> Option<u32> {
    new.then_some(7)
}

impl molt::Implementation<dyn Place> for Late {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Late {
    fn value(&self) -> u64 {
        0
    }
}
