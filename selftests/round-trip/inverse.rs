// SPDX-License-Identifier: GPL-2.0

//! Its way back is not the inverse of its way.

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
    implementation: Inverse,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, inverse",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Inverse {
    #[state(convert(u64 => threefold, back = half))]
    value: u64,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn threefold(old: u64) -> u64 {
    old.wrapping_mul(3)
}

fn half(new: u64) -> u64 {
    new / 2
}

impl molt::Implementation<dyn Place> for Inverse {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Inverse {
    fn value(&self) -> u64 {
        0
    }
}
