// SPDX-License-Identifier: GPL-2.0

//! Loses a box on the way.

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
    implementation: Leak,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, leak",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Leak {
    value: u64,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    #[state(convert(KBox<u64> => lose, try_back = again))]
    held: u64,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn lose(old: KBox<u64>) -> u64 {
    let value = *old;
    core::mem::forget(old);
    value
}

fn again(new: &u64) -> Result<KBox<u64>> {
    Ok(KBox::new(*new, GFP_KERNEL)?)
}

impl molt::Implementation<dyn Place> for Leak {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Leak {
    fn value(&self) -> u64 {
        0
    }
}
