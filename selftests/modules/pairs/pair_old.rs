// SPDX-License-Identifier: GPL-2.0

//! The old half of all pairs.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::rbtree::RBTree;
use kernel::str::CString;
use kernel::sync::atomic::Atomic;
use kernel::sync::{new_mutex, Arc, Mutex};
use molt::{Handle, State};

#[allow(dead_code, reason = "the new halves use more of it")]
mod base;
use base::interface::{Check, Corpus, Ledger, Seen};
use base::{Choice, Generic, Inner, Kind, Outer, OUTER};

molt::module! {
    class: "pairs",
    implementation: Pair,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: the old half of all pairs of states",
}

#[derive(State)]
#[pin_data]
struct Pair {
    total: u64,
    width: u64,
    outer: Outer,
    option: Option<u32>,
    kind: Kind,
    choice: Choice,
    list: [u32; 4],
    generic: Generic<u32>,
    reads: Atomic<u32>,
    handle: Option<Handle<dyn Corpus>>,
    vector: KVec<Inner>,
    tree: RBTree<u32, u32>,
    vast: KVVec<u32>,
    #[pin]
    lock: Mutex<u32>,
    pair: (u32, Inner),
    first: u16,
    second: u16,
    shared: Arc<Inner>,
    name: CString,
}

impl molt::Implementation<dyn Corpus> for Pair {
    fn create((_, seed): (Arc<Ledger>, u64)) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            total: seed,
            width: seed,
            outer: OUTER,
            option: Some(1),
            kind: Kind::Number(1),
            choice: Choice::Number(1),
            list: [1; 4],
            generic: Generic { value: 1 },
            reads: Atomic::new(1),
            handle: None,
            vector: inners()?,
            tree: RBTree::new(),
            vast: KVVec::new(),
            lock <- new_mutex!(1),
            pair: (1, Inner { value: 1 }),
            first: 1,
            second: 2,
            shared: Arc::new(Inner { value: seed }, GFP_KERNEL)?,
            name: CString::try_from_fmt(fmt!("pair"))?,
        })
    }
}

fn inners() -> Result<KVec<Inner>> {
    let mut list = KVec::new();
    list.push(Inner { value: 1 }, GFP_KERNEL)?;
    Ok(list)
}

impl Corpus for Pair {
    fn check(&self, case: u32, trips: u32) -> Option<Seen> {
        let mut check = Check::new(self.total, trips);
        let Inner { value } = *self.shared;
        check.is(self.width == self.total && value == self.total && *self.lock.lock() == 1);
        check.is(self.name.to_bytes() == b"pair" && self.vector.len() == 1);
        (case == 0).then(|| check.end())
    }

    fn name(&self, case: u32) -> Option<CString> {
        match case {
            0 => CString::try_from_fmt(fmt!("old")).ok(),
            _ => None,
        }
    }
}
