// SPDX-License-Identifier: GPL-2.0

//! Has a rule that does not come to an end.

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
    implementation: Panics,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, panics",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Panics {
    #[state(convert(u64 => stop, back = shorter))]
    value: u128,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn stop(old: u64) -> u128 {
    panic!("no way for {old}")
}

fn shorter(new: u128) -> u64 {
    new as u64
}

impl molt::Implementation<dyn Place> for Panics {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Panics {
    fn value(&self) -> u64 {
        0
    }
}
