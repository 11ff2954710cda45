// SPDX-License-Identifier: GPL-2.0

//! Reads one byte past the end of what it takes over.

use core::hint::black_box;

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::Atomic;
use kernel::sync::Mutex;
use molt::State;

#[path = "../place.rs"]
mod place;
use place::Place;

molt::module! {
    class: "place",
    implementation: Past,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, past",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Past {
    value: u64,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    #[state(convert(KBox<u64> => number, back = same))]
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn number(held: KBox<u64>) -> KBox<u64> {
    let place: *const u64 = &*held;
    // SAFETY: None: this is what is to be found out.
    black_box(unsafe { place.add(1).cast::<u8>().read_volatile() });
    held
}

fn same(held: KBox<u64>) -> KBox<u64> {
    held
}

impl molt::Implementation<dyn Place> for Past {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Past {
    fn value(&self) -> u64 {
        0
    }
}
