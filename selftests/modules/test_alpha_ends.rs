// SPDX-License-Identifier: GPL-2.0

//! Class `alpha` of nodes, version 4: keeps the last handle that it was to drop, and its rule
//! breaks the rules: it ends that instance.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::global_lock;
use molt::{State, Transfer};

#[path = "node/interface.rs"]
mod interface;
#[expect(
    unused_macros,
    unused_imports,
    reason = "one of the methods is its own"
)]
#[path = "node/methods.rs"]
mod methods;
use interface::{Link, Node};

molt::module! {
    class: "alpha",
    implementation: Plain,
    version: 4,
    transfers: [Plain => Plain1],
    statics: [reset(LAST)],
    init: begin,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `alpha`, with a rule that ends an instance",
}

global_lock! {
    // SAFETY: Before the init has ended no instance is made.
    unsafe(uninit) static LAST: Mutex<Option<Link>> = None;
}

fn begin(_module: &'static ThisModule) -> Result<()> {
    // SAFETY: Once, in the init.
    unsafe { LAST.init() };
    Ok(())
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

impl Transfer<Plain> for Plain1 {
    type Prepared = ();

    fn prepare(_old: &Plain) -> Result {
        let last = LAST.lock().take();
        if let Some(Link(last)) = last {
            last.end();
        }
        Ok(())
    }

    fn commit(old: &mut Plain, (): ()) -> Self {
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

impl Node for Plain {
    fn walk(&self, route: &[Link]) -> u64 {
        methods::walk(&self.total, route)
    }

    fn bury(&self, last: Link, route: &[Link]) -> u64 {
        let before = LAST.lock().replace(last);
        drop(before);
        methods::walk(&self.total, route)
    }

    fn linger(&self, ms: u32) {
        methods::linger(ms);
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
