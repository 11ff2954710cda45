// SPDX-License-Identifier: GPL-2.0

//! Store, version 1: a table behind a lock.
//!
//! Purpose: a state that needs more than a word: a lock, a vector, a struct of its own. With
//! versions 2 and 3 it is the worked example of `Documentation/state-transfer.md`.
//!
//! Usage:
//!
//! ```text
//! # modprobe molt_control
//! # modprobe store_v1
//! # modprobe store_caller
//! # modprobe store_v2
//! # echo Table@2 > /sys/kernel/molt/classes/store/update
//! # rmmod store_caller && dmesg | tail -1
//! ```
//!
//! How to make it fail: give a field of `Entry` in version 2 another type and no rule; the
//! update is refused (`EPROTO`), and the reason names `table[].` and the field.

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
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a store, version 1",
}

#[derive(Movable)]
struct Entry {
    key: u32,
    value: u32,
}

#[pin_data]
#[derive(State)]
struct Table {
    name: CString,
    hits: Atomic<u64>,
    #[pin]
    table: Mutex<KVec<Entry>>,
}

impl molt::Implementation<dyn Store> for Table {
    fn create(name: CString) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            name,
            hits: Atomic::new(0),
            table <- kernel::new_mutex!(KVec::new(), "store"),
        })
    }
}

impl Store for Table {
    fn put(&self, key: u32, value: u32) -> Result<()> {
        let mut table = self.table.lock();
        match table.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => table.push(Entry { key, value }, GFP_KERNEL)?,
        }
        Ok(())
    }

    fn get(&self, key: u32) -> Option<u64> {
        self.hits.fetch_add(1, Relaxed);
        let table = self.table.lock();
        let entry = table.iter().find(|entry| entry.key == key)?;
        Some(entry.value.into())
    }

    fn lookups(&self) -> u64 {
        self.hits.load(Relaxed)
    }
}
