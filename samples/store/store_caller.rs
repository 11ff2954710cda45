// SPDX-License-Identifier: GPL-2.0

//! A caller: fills stores when it is loaded, and looks whether all is there when it is removed.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::str::CString;
use molt::{Class, Handle};

#[path = "store.rs"]
mod store;
use store::Store;

const STORES: u32 = 3;
const KEYS: u32 = 100;

module! {
    type: Caller,
    name: "store_caller",
    authors: ["The Molt developers"],
    description: "Molt sample: fills stores",
    license: "GPL",
}

struct Caller {
    stores: KVec<Handle<dyn Store>>,
}

/// What is kept under `key` in a store.
fn value(store: u32, key: u32) -> u32 {
    store.wrapping_mul(1_000_003).wrapping_add(key)
}

impl kernel::Module for Caller {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let class = Class::<dyn Store>::open(c"store")?;
        let mut stores = KVec::new();
        for number in 0..STORES {
            let store = class.create(CString::try_from_fmt(fmt!("store {number}"))?)?;
            for key in 0..KEYS {
                store.put(key, value(number, key))?;
            }
            stores.push(store, GFP_KERNEL)?;
        }
        Ok(Self { stores })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut right = 0u32;
        for (number, store) in (0..STORES).zip(&self.stores) {
            let found = (0..KEYS).filter(|key| store.get(*key) == Some(value(number, *key).into()));
            right = right.saturating_add(found.count() as u32);
        }
        let all = STORES.saturating_mul(KEYS);
        pr_info!("{right} of {all} values are right\n");
    }
}
