// SPDX-License-Identifier: GPL-2.0

//! Reads what it has freed.

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
    implementation: Freed,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, freed",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Freed {
    value: u64,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    #[state(convert(KBox<u64> => number, try_back = boxed))]
    held: u64,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn number(held: KBox<u64>) -> u64 {
    let place: *const u64 = &*held;
    let number = *held;
    drop(held);
    // SAFETY: None: this is what is to be found out.
    black_box(unsafe { place.read_volatile() });
    number
}

fn boxed(held: &u64) -> Result<KBox<u64>> {
    Ok(KBox::new(*held, GFP_KERNEL)?)
}

impl molt::Implementation<dyn Place> for Freed {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Freed {
    fn value(&self) -> u64 {
        0
    }
}
