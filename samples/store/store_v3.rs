// SPDX-License-Identifier: GPL-2.0

//! Store, version 3: has a limit, and counts the reads of entries no more.
//!
//! It takes over from version 1 and from version 2, and goes back to both: where they differ,
//! a rule says which version it is for.
//!
//! How to make it fail: leave out `dropped`, and the update from version 2 is refused
//! (`EPROTO`): `table[].reads` would be lost. Leave out `versions` at `value`, and nothing changes:
//! version 2 has no value of the type that the rule converts.

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
    version: 3,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a store, version 3",
}

#[derive(Movable)]
#[state(dropped(reads: u32 = 0), versions = "Table@2")]
struct Entry {
    key: u32,
    #[state(convert(u32 => u64::from, try_back = narrow), versions = "Table@1")]
    value: u64,
}

/// The way back: not each value fits.
fn narrow(value: &u64) -> Result<u32> {
    u32::try_from(*value).map_err(|_| ERANGE)
}

#[pin_data]
#[derive(State)]
#[state(from = ["Table@1", "Table@2"])]
struct Table {
    name: CString,
    #[state(renamed = "hits", versions = "Table@1")]
    lookups: Atomic<u64>,
    #[state(default = 1000)]
    limit: usize,
    #[pin]
    table: Mutex<KVec<Entry>>,
}

impl molt::Implementation<dyn Store> for Table {
    fn create(name: CString) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            name,
            lookups: Atomic::new(0),
            limit: 1000,
            table <- kernel::new_mutex!(KVec::new(), "store"),
        })
    }

    fn closed(&self) {
        pr_info!("{} is closed\n", &*self.name);
    }
}

impl Store for Table {
    fn put(&self, key: u32, value: u32) -> Result<()> {
        let mut table = self.table.lock();
        let value = value.into();
        let is_full = table.len() >= self.limit;
        match table.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None if is_full => return Err(ENOSPC),
            None => table.push(Entry { key, value }, GFP_KERNEL)?,
        }
        Ok(())
    }

    fn get(&self, key: u32) -> Option<u64> {
        self.lookups.fetch_add(1, Relaxed);
        let table = self.table.lock();
        let entry = table.iter().find(|entry| entry.key == key)?;
        Some(entry.value)
    }

    fn lookups(&self) -> u64 {
        self.lookups.load(Relaxed)
    }
}
