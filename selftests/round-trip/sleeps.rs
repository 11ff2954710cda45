// SPDX-License-Identifier: GPL-2.0

//! Allocates where interrupts are off.

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
    implementation: Sleeps,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, sleeps",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Sleeps {
    #[state(convert(u64 => hold, back = free))]
    value: Option<KBox<u64>>,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn hold(old: u64) -> Option<KBox<u64>> {
    KBox::new(old, GFP_KERNEL).ok()
}

fn free(new: Option<KBox<u64>>) -> u64 {
    new.map_or(0, |value| *value)
}

impl molt::Implementation<dyn Place> for Sleeps {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Sleeps {
    fn value(&self) -> u64 {
        0
    }
}
