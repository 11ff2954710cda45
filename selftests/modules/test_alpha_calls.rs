// SPDX-License-Identifier: GPL-2.0

//! Class `alpha` of nodes, version 3: its rule breaks the rules and calls a handle.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{State, Transfer};

#[path = "node/interface.rs"]
mod interface;
#[path = "node/methods.rs"]
mod methods;
use interface::{Link, Node};

molt::module! {
    class: "alpha",
    implementation: Plain,
    version: 3,
    transfers: [Plain1 => Plain],
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `alpha`, with a rule that calls",
}

#[derive(State)]
#[state(name = "Plain", version = 1)]
struct Plain1 {
    total: Atomic<u64>,
    peer: Option<Link>,
}

#[derive(State)]
struct Plain {
    total: Atomic<u64>,
    peer: Option<Link>,
}

impl Transfer<Plain1> for Plain {
    type Prepared = ();

    fn prepare(old: &Plain1) -> Result {
        if let Some(peer) = &old.peer {
            peer.walk(&[]);
        }
        Ok(())
    }

    fn commit(old: &mut Plain1, (): ()) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
            peer: old.peer.take(),
        }
    }
}

impl molt::Implementation<dyn Node> for Plain {
    fn create(peer: Option<Link>) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(0),
            peer
        })
    }
}

methods::serve!(Plain);
