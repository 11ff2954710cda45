// SPDX-License-Identifier: GPL-2.0

//! Has a rule that needs more of the kernel than there is.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::Atomic;
use kernel::sync::Mutex;
use kernel::time::{delay::fsleep, Delta};
use molt::State;

#[path = "place.rs"]
mod place;
use place::Place;

molt::module! {
    class: "place",
    implementation: Absent,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, absent",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Absent {
    #[state(try_convert(u64 => wait, back = shorter))]
    value: u128,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn wait(old: &u64) -> Result<u128> {
    fsleep(Delta::from_millis(10));
    Ok((*old).into())
}

fn shorter(new: u128) -> u64 {
    new as u64
}

impl molt::Implementation<dyn Place> for Absent {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Absent {
    fn value(&self) -> u64 {
        0
    }
}
