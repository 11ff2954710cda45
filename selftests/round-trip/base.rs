// SPDX-License-Identifier: GPL-2.0

//! The older version.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::Atomic;
use kernel::sync::Mutex;
use molt::State;

#[path = "place.rs"]
mod place;
use place::{Place, Row};

molt::module! {
    class: "place",
    implementation: Base,
    version: 1,
    license: "GPL",
    description: "Molt test: there and back, the older version",
}

#[pin_data]
#[derive(State)]
struct Base {
    value: u64,
    count: Atomic<u64>,
    name: CString,
    spare: Option<u32>,
    held: KBox<u64>,
    #[pin]
    rows: Mutex<KVec<Row>>,
}

impl molt::Implementation<dyn Place> for Base {
    fn create((value, name): (u64, CString)) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(move || {
            let mut rows = KVec::new();
            for weight in 0..3 {
                let key = KBox::new(value as u32, GFP_KERNEL)?;
                rows.push(Row { key, weight }, GFP_KERNEL)?;
            }
            let held = KBox::new(value, GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                value,
                count: Atomic::new(42),
                name,
                spare: None,
                held,
                rows <- kernel::new_mutex!(rows),
            }))
        })
    }
}

impl Place for Base {
    fn value(&self) -> u64 {
        self.value
    }
}
