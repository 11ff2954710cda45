// SPDX-License-Identifier: GPL-2.0

//! Changes the old state before anything is decided.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Mutex;
use molt::State;

#[path = "place.rs"]
mod place;
use place::Place;

molt::module! {
    class: "place",
    implementation: Touch,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, touch",
}

#[pin_data]
#[derive(State)]
#[state(from = "Base@1")]
struct Touch {
    value: u64,
    #[state(try_convert(Atomic<u64> => take, back = Atomic::new))]
    count: u64,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<place::Row>>,
}

fn take(old: &Atomic<u64>) -> Result<u64> {
    Ok(old.fetch_add(1, Relaxed))
}

impl molt::Implementation<dyn Place> for Touch {
    fn create(_: (u64, CString)) -> impl PinInit<Self, Error> {
        Err::<Self, Error>(ENOSYS)
    }
}

impl Place for Touch {
    fn value(&self) -> u64 {
        0
    }
}
