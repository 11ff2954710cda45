// SPDX-License-Identifier: GPL-2.0

//! Store, version 2: wider values, a count for each entry, and a better name for a field.
//!
//! What is new is said where it is: the entries have rules of their own. They are in a vector
//! behind a lock, so the vector is made anew and the lock, too.
//!
//! How to make it fail: `echo "Table@2 policy=lazy" > .../update` (`EPROTO`): a vector that is
//! made anew needs memory, so an instance could refuse, which is too late after the commit.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Mutex;
use molt::{Movable, State};

#[path = "store.rs"]
mod store;
use store::Store;

molt::module! {
    class: "store",
    implementation: Table,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a store, version 2",
}

#[derive(Movable)]
struct Entry {
    key: u32,
    #[state(convert(u32 => u64::from, try_back = narrow))]
    value: u64,
    #[state(default)]
    reads: u32,
}

/// The way back: not each value fits.
fn narrow(value: &u64) -> Result<u32> {
    u32::try_from(*value).map_err(|_| ERANGE)
}

#[pin_data]
#[derive(State)]
struct Table {
    name: CString,
    #[state(renamed = "hits")]
    lookups: Atomic<u64>,
    #[pin]
    table: Mutex<KVec<Entry>>,
}

impl molt::Implementation<dyn Store> for Table {
    fn create(name: CString) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            name,
            lookups: Atomic::new(0),
            table <- kernel::new_mutex!(KVec::new(), "store"),
        })
    }
}

impl Store for Table {
    fn put(&self, key: u32, value: u32) -> Result<()> {
        let mut table = self.table.lock();
        let value = value.into();
        match table.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => {
                let reads = 0;
                table.push(Entry { key, value, reads }, GFP_KERNEL)?;
            }
        }
        Ok(())
    }

    fn get(&self, key: u32) -> Option<u64> {
        self.lookups.fetch_add(1, Relaxed);
        let mut table = self.table.lock();
        let entry = table.iter_mut().find(|entry| entry.key == key)?;
        entry.reads = entry.reads.wrapping_add(1);
        Some(entry.value)
    }

    fn lookups(&self) -> u64 {
        self.lookups.load(Relaxed)
    }
}
