// SPDX-License-Identifier: GPL-2.0

//! Has rules of all kinds, which are right.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::Atomic;
use kernel::sync::Mutex;
use molt::{Movable, State};

#[path = "place.rs"]
mod place;
use place::Place;

molt::module! {
    class: "place",
    implementation: Good,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, good",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Good {
    #[state(default = KVec::new())]
    log: KVec<u64>,
    #[state(convert(u64 => u128::from, back = shorter))]
    value: u128,
    count: Atomic<u64>,
    #[state(renamed = "name")]
    title: CString,
    #[state(convert(Option<u32> => wider, back = narrower))]
    spare: Option<u64>,
    #[state(try_convert(KBox<u64> => unbox, try_back = again))]
    held: u64,
    #[pin]
    rows: Mutex<KVec<Row>>,
}

#[derive(Movable)]
struct Row {
    #[state(default)]
    reads: u32,
    #[state(convert(u16 => u32::from, try_back = narrow))]
    weight: u32,
    key: KBox<u32>,
}

fn narrow(weight: &u32) -> Result<u16> {
    u16::try_from(*weight).map_err(|_| ERANGE)
}

fn again(new: &u64) -> Result<KBox<u64>> {
    Ok(KBox::new(*new, GFP_KERNEL)?)
}

fn unbox(old: &KBox<u64>) -> Result<u64> {
    Ok(**old)
}

fn shorter(new: u128) -> u64 {
    new as u64
}

fn wider(old: Option<u32>) -> Option<u64> {
    old.map(u64::from)
}

fn narrower(new: Option<u64>) -> Option<u32> {
    new.map(|new| new as u32)
}

impl molt::Implementation<dyn Place> for Good {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Good {
    fn value(&self) -> u64 {
        0
    }
}
